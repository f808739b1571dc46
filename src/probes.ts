// What balancers and orchestrators ask: whether the process lives, and whether it can serve.
import type { Middleware } from 'koa'
import type { FindHealth } from './platform/health.ts'

/** Answers /livez and /readyz. They come from machines that know no name of ours, so they stand before the guard of the host. */
export const createProbes =
  (findHealth: FindHealth, isStopping: () => boolean = () => false): Middleware =>
  async (ctx, next) => {
    if (ctx.path === '/livez') ctx.body = 'ok\n'
    else if (ctx.path === '/readyz') {
      const ready = !isStopping() && (await findHealth()).isFit
      ctx.status = ready ? 200 : 503
      ctx.body = ready ? 'ready\n' : 'not ready\n'
    } else await next()
  }
