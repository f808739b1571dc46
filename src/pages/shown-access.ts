// What a client asks for, or was given, in the words that people read: claims and scopes of OpenID Connect, and of resource servers as they describe themselves.
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { Language } from '../platform/languages.ts'
import type { PageAccess } from './page-locals.ts'

interface Access {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Scopes by the identifiers of resource servers. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

/** Puts it into the words of a language. A resource server that is gone is told by its identifier, its scopes by their names. */
export type ShowAccess = (access: Access, t: Language['t']) => Promise<PageAccess>

/** Makes it. */
export const createShowAccess =
  (resourceServers: Pick<ResourceServers, 'find'>): ShowAccess =>
  async ({ scopes, claims, resources }, t) => ({
    scopes: [
      ...scopes.filter(scope => scope !== 'offline_access').map(name => ({ name })),
      ...claims.map(claim => ({ name: claim, title: t('consent.claim', { claim, label: claim.replaceAll('_', ' ') }) })),
    ],
    resources: await Promise.all(Object.entries(resources).map(one => toResource(one, resourceServers))),
    offline: scopes.includes('offline_access'),
  })

// Whoever registered a resource server chose its name: the address tells it from others of the name.
const toResource = async ([identifier, scopes]: [string, readonly string[]], resourceServers: Pick<ResourceServers, 'find'>) => {
  const server = await resourceServers.find(identifier)
  const name = server && server.name !== identifier ? `${server.name} (${identifier})` : identifier
  return { name, scopes: scopes.map(scope => ({ name: scope, title: server?.scopeDescriptions[scope] })) }
}
