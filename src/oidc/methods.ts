// Which methods each endpoint takes: what the engine does not know of a path it leaves to whoever comes next, which would say «nothing here».
import type { Context, Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'
import { discoveryPaths, paths } from './paths.ts'

const read = ['GET', 'HEAD']
const write = ['POST']

const methods: ReadonlyMap<string, readonly string[]> = new Map([
  ...[...discoveryPaths, paths.jwks].map(path => [path, read] as const),
  ...[paths.authorization, paths.userinfo, paths.end_session, paths.code_verification].map(path => [path, [...read, ...write]] as const),
  ...[paths.token, paths.introspection, paths.revocation, paths.pushed_authorization_request].map(path => [path, write] as const),
  ...[paths.device_authorization, paths.backchannel_authentication, paths.registration].map(path => [path, write] as const),
])

/**
 * Throws `method_not_allowed`, with `Allow` (RFC 9110 §15.5.6), and answers OPTIONS with it (§9.3.7) but for CORS, which is the engine's. The engine
 * also answers for an address in capitals or with a slash at its end; what stands before it would not know those, so they are `not_found`.
 */
export const createMethodGuard = (): Middleware => (ctx, next) => {
  const allowed = methods.get(ctx.path)
  if (!allowed && methods.has(ctx.path.replace(/(?<=.)\/$/, '').toLowerCase())) throw new Problem('not_found')
  if (!allowed || allowed.includes(ctx.method)) return next()
  if (ctx.method === 'OPTIONS') return ctx.get('Access-Control-Request-Method') ? next() : tellMethods(ctx, allowed)
  ctx.set('Allow', allowed.join(', '))
  throw new Problem('method_not_allowed')
}

const tellMethods = (ctx: Context, allowed: readonly string[]): void => {
  ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '))
  ctx.status = 204
}
