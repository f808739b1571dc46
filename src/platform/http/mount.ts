// The only way to serve a route: who is asking, may they, is it well-formed, then the handler, stripped by the output, in the envelope.
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { koaBody } from 'koa-body'
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { Problem } from '../errors.ts'
import { success } from './envelope.ts'
import type { Route } from './route.ts'
import { isPlainText } from './text.ts'

/** Turns a request into who is asking. Throws `unauthenticated` for credentials that are none. */
export type Identify = (ctx: Context) => Promise<Actor>

interface Needs {
  readonly prefix: string
  readonly routes: readonly Route[]
  readonly identify: Identify
}

const parseBody = koaBody({ multipart: false, urlencoded: false, text: false, jsonStrict: true, jsonLimit: '100kb' })

/** Serves the routes under a prefix; what no route has is told there too: 404, or 405 with `Allow`. */
export const mountRoutes = ({ prefix, routes, identify }: Needs): Middleware => {
  const router = new Router({ prefix })
  for (const one of routes) router.register(one.path, [one.method], serve(one, identify))
  const dispatch = router.routes()
  return async (ctx, next) => {
    if (ctx.path !== prefix && !ctx.path.startsWith(`${prefix}/`)) return next()
    await dispatch(ctx as never, async () => notServed(ctx, router))
  }
}

const serve = (one: Route, identify: Identify) => async (ctx: Context) => {
  const actor = await identify(ctx)
  if (one.permission !== undefined && actor.kind === 'anonymous') throw new Problem('unauthenticated')
  if (one.permission !== undefined && !actor.permissions.has(one.permission)) throw new Problem('forbidden')
  const given = await parsed(one, ctx)
  const { data, meta, status = one.status } = await one.handle({ actor, ...given })
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.body = success({ status, message: one.summary, requestId: ctx.state.requestId, data: one.output.parse(data), meta })
}

const parsed = async (one: Route, ctx: Context) => {
  if (one.method !== 'GET') {
    if (ctx.request.length && !ctx.is('application/json')) throw new Problem('unsupported_media_type')
    await parseBody(ctx as never, async () => undefined)
  }
  const given = { params: ctx.params ?? {}, query: { ...ctx.query }, body: ctx.request.body ?? {} }
  if (!isPlainText(given)) throw new Problem('malformed_text')
  const result = z.object({ params: one.params, query: one.query, body: one.body }).safeParse(given)
  if (result.success) return given
  const fields = result.error.issues.map(({ path: [, ...path], message }) => ({ path: path.join('.'), message }))
  throw new Problem('validation_failed', { fields })
}

const notServed = (ctx: Context, router: Router) => {
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap(layer => layer.methods))
  if (methods.size === 0) throw new Problem('not_found')
  ctx.set('Allow', [...methods].join(', '))
  throw new Problem('method_not_allowed')
}
