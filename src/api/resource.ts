// Our own API as a resource server, which no row keeps: apps ask for it by its address, and its permissions are its scopes.
import type { ResourceServer, ResourceServers } from '../clients/resource-servers.ts'
import { apiIdentifierOf } from '../platform/api-identifier.ts'
import { permissions } from './permissions.ts'

/** The resource servers with ours among them. */
export const withApiResource = (resourceServers: ResourceServers, issuer: string): ResourceServers => {
  const identifier = apiIdentifierOf(issuer)
  const own: ResourceServer = {
    identifier,
    name: 'Management API',
    scopes: permissions,
    scopeDescriptions: {},
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 600,
    allowsOfflineAccess: true,
    // What a token may do there is asked at each request, out of the person's standing or the client's `api_permissions`.
    requiresPermissions: false,
    clientAccess: 'any',
    userAccess: 'any',
    clients: [],
  }
  return { ...resourceServers, find: wanted => (wanted === identifier ? Promise.resolve(own) : resourceServers.find(wanted)) }
}
