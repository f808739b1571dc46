// What balancers and orchestrators ask: whether the process lives, and whether it can serve.
import type { Context, Middleware } from 'koa'
import type { FindHealth } from './platform/health.ts'

/** Answers /livez and /readyz. They come from machines that know no name of ours, so they stand before the guard of the host. */
export const createProbes =
  (findHealth: FindHealth, isStopping: () => boolean = () => false): Middleware =>
  (ctx, next) => {
    if (ctx.path === '/readyz') return tellReady(ctx, { findHealth, isStopping })
    if (ctx.path !== '/livez') return next()
    ctx.body = 'ok\n'
    return undefined
  }

const tellReady = async (ctx: Context, { findHealth, isStopping }: { findHealth: FindHealth; isStopping: () => boolean }): Promise<void> => {
  const ready = !isStopping() && (await findHealth()).isFit
  ctx.status = ready ? 200 : 503
  ctx.body = ready ? 'ready\n' : 'not ready\n'
}
