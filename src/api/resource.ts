// The API as a resource that clients ask tokens for (RFC 8707): built in, its scopes are the permissions.
import type { ResourceServers } from '../clients/resource-servers.ts'
import { managementPrefix } from './management.ts'
import { permissions } from './permissions.ts'

/** The resource servers with ours among them. */
export const withApiResource = (resourceServers: ResourceServers, issuer: string): ResourceServers => {
  const identifier = `${issuer}${managementPrefix}`
  const own = { identifier, name: 'Management API', scopes: permissions, tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 600 } as const
  return { ...resourceServers, find: async wanted => (wanted === identifier ? own : resourceServers.find(wanted)) }
}
