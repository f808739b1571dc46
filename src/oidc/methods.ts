// Which methods each endpoint takes: what the engine does not know of a path it leaves to whoever comes next, which would say «nothing here».
import type { Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'

const read = ['GET', 'HEAD']
const write = ['POST']

const methods: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    '/.well-known/openid-configuration': read,
    '/.well-known/oauth-authorization-server': read,
    '/oauth2/jwks': read,
    '/oauth2/authorize': [...read, ...write],
    '/oauth2/userinfo': [...read, ...write],
    '/oauth2/logout': [...read, ...write],
    '/device': [...read, ...write],
    '/oauth2/token': write,
    '/oauth2/introspect': write,
    '/oauth2/revoke': write,
    '/oauth2/par': write,
    '/oauth2/device_authorization': write,
    '/oauth2/backchannel-authentication': write,
    '/oauth2/register': write,
  }),
)

/**
 * Throws `method_not_allowed`, with `Allow` (RFC 9110 §15.5.6). OPTIONS is the engine's, for CORS. The engine also answers for
 * an address in capitals or with a slash at its end; what stands before it would not know those, so they are `not_found`.
 */
export const createMethodGuard = (): Middleware => (ctx, next) => {
  const allowed = methods.get(ctx.path)
  if (!allowed && methods.has(ctx.path.replace(/(?<=.)\/$/, '').toLowerCase())) throw new Problem('not_found')
  if (!allowed || ctx.method === 'OPTIONS' || allowed.includes(ctx.method)) return next()
  ctx.set('Allow', allowed.join(', '))
  throw new Problem('method_not_allowed')
}
