// Has the engine know the types of authorization details by now: where clients are registered with them, and where discovery tells them.
import type { Middleware } from 'koa'
import type { DetailsTypes } from '../clients/details-types.ts'
import { discoveryPaths, paths } from './paths.ts'

const discovery: ReadonlySet<string> = new Set(discoveryPaths)

/** Stands right in front of the engine. Discovery tells the types of the system alone (RFC 9396 §10): those of organizations are theirs. */
export const createKnownDetailsTypes = (detailsTypes: Pick<DetailsTypes, 'refresh' | 'ofSystem'>): Middleware => {
  const refreshed: Middleware = async (ctx, next) => {
    await detailsTypes.refresh()
    await next()
    if (!discovery.has(ctx.path) || typeof ctx.body !== 'object' || ctx.body === null || !('authorization_details_types_supported' in ctx.body)) return
    const types = detailsTypes.ofSystem()
    // RFC 8414 §3.2: what is empty is left out.
    if (types.length > 0) ctx.body.authorization_details_types_supported = types
    else Reflect.deleteProperty(ctx.body, 'authorization_details_types_supported')
  }
  return (ctx, next) => (discovery.has(ctx.path) || ctx.path.toLowerCase().startsWith(paths.registration) ? refreshed(ctx, next) : next())
}
