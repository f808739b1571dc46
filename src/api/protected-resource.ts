// The metadata of our own API as a protected resource (RFC 9728), and what its refusals tell a client of it.
import type { Context, Middleware } from 'koa'
import type { Actor } from '../platform/actor.ts'
import { apiIdentifierOf } from '../platform/api-identifier.ts'
import { Problem } from '../platform/errors.ts'
import type { Route } from '../platform/http/route.ts'
import { isPermission, permissions } from './permissions.ts'

const wellKnown = '/.well-known/oauth-protected-resource'

/** Where the metadata is: the well-known name goes between host and path (RFC 9728 §3.1). */
export const protectedResourceUrl = (issuer: string): string => {
  const { origin, pathname } = new URL(apiIdentifierOf(issuer))
  return `${origin}${wellKnown}${pathname}`
}

/** Serves the document, to pages of any origin: it says nothing that is not for everybody. */
export const createProtectedResource = ({ issuer }: { readonly issuer: string }): Middleware => {
  const path = new URL(protectedResourceUrl(issuer)).pathname
  const document = {
    resource: apiIdentifierOf(issuer),
    authorization_servers: [issuer],
    scopes_supported: permissions,
    bearer_methods_supported: ['header'],
    resource_name: 'Authy2 management API',
    resource_documentation: `${issuer}/api/docs`,
  }
  return (ctx, next) => {
    if (ctx.path !== path) return next()
    if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.set('Allow', 'GET, HEAD')
      throw new Problem('method_not_allowed')
    }
    ctx.set('Cache-Control', 'public, max-age=3600')
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.body = document
  }
}

/** Makes the `WWW-Authenticate` of a refusal under /api (RFC 6750 §3, RFC 9728 §5.1); `undefined` where none is due. */
export const createChallenge = (issuer: string) => {
  const metadata = `resource_metadata="${protectedResourceUrl(issuer)}"`
  return (ctx: Context, { status }: Problem): string | undefined => {
    const { lackingScope } = ctx.state
    if (status === 403 && lackingScope !== undefined) return `Bearer realm="api", error="insufficient_scope", scope="${lackingScope}", ${metadata}`
    if (status !== 401) return undefined
    // RFC 6750 §3: who sent no bearer token is told no error.
    const isBearer = /^bearer\b/i.test(ctx.get('Authorization'))
    return `Bearer realm="api", ${isBearer ? 'error="invalid_token", ' : ''}${metadata}`
  }
}

/** Notes what an access token lacks for a route that it was refused at (RFC 6750 §3.1); more scopes help nobody else. */
export const noteLackingScope = (ctx: Context, { actor, route: { permission } }: { readonly actor: Actor; readonly route: Route }): void => {
  if (permission !== undefined && isPermission(permission) && actor.tokenScopes && !actor.tokenScopes.has(permission)) ctx.state.lackingScope = permission
}
