// The only way to serve a route: who is asking, may they, is it well-formed, then the handler, stripped by the output, in the envelope.
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import type { ActAs } from '../context.ts'
import { liftDeadline } from '../deadline.ts'
import { Problem } from '../errors.ts'
import { allow } from './allow.ts'
import { readBody } from './body.ts'
import { success } from './envelope.ts'
import { etagOf, ifMatchOf, isKnown, mustBeNamed, mustNameNoVersion } from './etag.ts'
import { faultsOf } from './faults.ts'
import type { Once } from './idempotency.ts'
import { sendLines } from './lines.ts'
import type { Answer, Route } from './route.ts'
import { isPlainText } from './text.ts'

/** Turns a request into who is asking. Throws `unauthenticated` for credentials that are none. */
export type Identify = (ctx: Context) => Promise<Actor>

/** Counts a request of a caller. Throws `rate_limited`. */
export type Admit = (ctx: Context, actor: Actor) => Promise<void>

/** How all routes are served. */
export interface Manners {
  readonly identify: Identify
  readonly admit?: Admit
  readonly actAs?: ActAs
  /** Lets a write with an `Idempotency-Key` act once. */
  readonly once?: Once
  /** Called once for each write of a known caller that was refused for what they may do or for what there is: 403 and 409. */
  readonly onRefused?: (refused: Refused) => Promise<void>
  /** Called for whoever lacks a permission, before they are told. */
  readonly onForbidden?: (ctx: Context, refused: { readonly actor: Actor; readonly route: Route }) => void
}

/** A write that was refused. */
export interface Refused {
  readonly actor: Actor
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
  readonly problem: Problem
}

interface Needs extends Manners {
  readonly prefix: string
  readonly routes: readonly Route[]
}

/** Serves the routes under a prefix; what no route has is told there too: 404, or 405 with `Allow`. */
export const mountRoutes = ({ prefix, routes, ...manners }: Needs): Middleware => {
  // A path is one text, as whatever else goes by it takes it: how much a body may hold, what is counted.
  const router = new Router({ prefix, strict: true, sensitive: true })
  for (const one of routes) router.register(one.path, [one.method], serve(one, manners))
  const dispatch = router.routes()
  return async (ctx, next) => {
    if (ctx.path !== prefix && !ctx.path.startsWith(`${prefix}/`)) return next()
    await dispatch(ctx as never, async () => notServed(ctx, router))
  }
}

const serve = (one: Route, { identify, admit, actAs = asAnybody, once, onRefused, onForbidden }: Manners) => {
  const act = acting(one, once)
  return async (ctx: Context) => {
    const actor = await identify(ctx).catch(async refusal => {
      // Guessing credentials costs the address its budget.
      await admit?.(ctx, unknown)
      throw refusal
    })
    await admit?.(ctx, actor)
    try {
      await actAs(actor, () => act(ctx, actor))
    } catch (problem) {
      if (problem instanceof Problem && problem.code === 'forbidden') onForbidden?.(ctx, { actor, route: one })
      if (onRefused && isRefusal(problem) && one.method !== 'GET' && actor.kind !== 'anonymous')
        await onRefused({ actor, route: one, params: ctx.params ?? {}, problem })
      throw problem
    }
  }
}

const asAnybody: ActAs = (_actor, work) => work()

const acting = (one: Route, once: Once | undefined) => {
  const schema = z.object({ params: one.params, query: one.query, body: one.body })
  return async (ctx: Context, actor: Actor) => {
    allow(one, { actor, params: ctx.params ?? {} })
    if (one.isLong || one.rows) liftDeadline()
    const given = parsed(schema, { params: ctx.params ?? {}, query: { ...ctx.query }, body: await readBody(one, ctx) })
    if (one.isLines) return sendLines(ctx, { line: one.output, lines: (await one.handle({ actor, ...given, ifMatch: ifMatchOf(ctx) })).data })
    const run = async () => {
      if (one.method !== 'GET' && !one.comparesVersion) mustNameNoVersion(ctx)
      return stripped(one, await one.handle({ actor, ...given, ifMatch: ifMatchOf(ctx) }))
    }
    const key = ctx.get('Idempotency-Key')
    const isRepeatable = one.method !== 'GET' && ctx.req.headers['idempotency-key'] !== undefined && once !== undefined
    tell(ctx, { one, answer: isRepeatable ? await once({ ctx, actor, key, run }) : await run() })
  }
}

const isRefusal = (error: unknown): error is Problem => error instanceof Problem && (error.status === 403 || error.status === 409)

const stripped = (one: Route, { data, meta, status = one.status, version }: Answer) => ({
  data: one.output.parse(data),
  ...(meta === undefined ? {} : { meta }),
  status,
  ...(version === undefined ? {} : { etag: etagOf(version) }),
})

const unknown: Actor = { kind: 'anonymous', permissions: new Set() }

/** What {@link tell} needs; plain JSON, so that it can be kept and told again. */
export interface Told {
  readonly data?: unknown
  readonly meta?: unknown
  readonly status: number
  readonly etag?: string
}

const tell = (ctx: Context, { one, answer: { data = null, meta, status, etag } }: { one: Route; answer: Told }) => {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  const tag = etag ?? (one.method === 'GET' && status === 200 ? etagOf(JSON.stringify([data, meta])) : undefined)
  if (tag !== undefined) ctx.set('ETag', tag)
  if (one.method === 'GET' && tag !== undefined) mustBeNamed(ctx, tag)
  if (one.method === 'GET' && tag !== undefined && isKnown(ctx, tag)) {
    ctx.status = 304
    ctx.body = null
    return
  }
  ctx.body = success({ status, message: one.summary, requestId: ctx.state.requestId, data, meta })
}

const parsed = <Schema extends z.ZodType>(schema: Schema, given: { params: unknown; query: unknown; body: unknown }): z.output<Schema> => {
  if (!isPlainText([given.params, given.query])) throw new Problem('malformed_text')
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new Problem('validation_failed', { fields: faultsOf(result.error.issues).map(({ path: [, ...path], message }) => ({ path: path.join('.'), message })) })
}

const notServed = (ctx: Context, router: Router) => {
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap(layer => layer.methods))
  if (methods.size === 0) throw new Problem('not_found')
  ctx.set('Allow', [...methods].join(', '))
  throw new Problem('method_not_allowed')
}
