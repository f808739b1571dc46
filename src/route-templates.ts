// The templates of the routes that no router of ours knows: the protocol's, documents, probes, static files.
import type { Context } from 'koa'
import { discoveryPaths, paths } from './oidc/paths.ts'

const fixed: ReadonlySet<string> = new Set([
  ...discoveryPaths,
  ...Object.values(paths),
  '/.well-known/oauth-protected-resource/api',
  '/.well-known/passkey-endpoints',
  '/.well-known/change-password',
  '/api/openapi.json',
  '/api/docs',
  '/favicon.ico',
  '/livez',
  '/readyz',
  '/metrics',
])

const families: readonly (readonly [string, string])[] = [
  ['/oauth2/authorize/', '/oauth2/authorize/:uid'],
  ['/oauth2/register/', '/oauth2/register/:client_id'],
  ['/oauth2/logout/', '/oauth2/logout/:page'],
  ['/device/', '/device/:uid'],
  ['/assets/images/', '/assets/images/:hash'],
  ['/assets/', '/assets/:name'],
]

/** The template of the route that answered, never the path itself; `unmatched` where nothing is served. */
export const routeOf = (ctx: Context): string => {
  const { _matchedRoute: matched } = ctx
  if (typeof matched === 'string') return matched
  if (fixed.has(ctx.path)) return ctx.path
  return families.find(([beginning]) => ctx.path.startsWith(beginning))?.[1] ?? 'unmatched'
}
