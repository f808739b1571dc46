// Has the engine know the types of authorization details by now: where clients are registered with them, and where discovery tells them.
import type { Middleware } from 'koa'
import type { DetailsTypes } from '../clients/details-types.ts'

const discovery = new Set(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])

/** Stands right in front of the engine. Discovery tells the types of the system alone (RFC 9396 §10): those of organizations are theirs. */
export const createKnownDetailsTypes =
  (detailsTypes: Pick<DetailsTypes, 'refresh' | 'ofSystem'>): Middleware =>
  async (ctx, next) => {
    const isDiscovery = discovery.has(ctx.path)
    if (isDiscovery || ctx.path.toLowerCase().startsWith('/oauth2/register')) await detailsTypes.refresh()
    await next()
    if (!isDiscovery || typeof ctx.body !== 'object' || ctx.body === null || !('authorization_details_types_supported' in ctx.body)) return
    const types = detailsTypes.ofSystem()
    // RFC 8414 §3.2: what is empty is left out.
    if (types.length > 0) ctx.body.authorization_details_types_supported = types
    else Reflect.deleteProperty(ctx.body, 'authorization_details_types_supported')
  }
