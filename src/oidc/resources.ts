// Resource indicators (RFC 8707): which resource servers there are and what their access tokens are like (RFC 9068).
import { type Configuration, errors } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>

/** Makes the engine's hooks. An unknown resource is `invalid_target`. */
export const resourceIndicators = (resourceServers: ResourceServers): ResourceIndicators => ({
  enabled: true,
  defaultResource: async (_ctx, _client, oneOf) => oneOf ?? [],
  // One token request without `resource` gets the token of the one resource that was granted only when userinfo is not in it.
  useGrantedResource: async () => false,
  getResourceServerInfo: async (_ctx, indicator) => {
    const server = await resourceServers.find(indicator)
    if (!server) throw new errors.InvalidTarget()
    return {
      audience: server.identifier,
      scope: server.scopes.join(' '),
      accessTokenTTL: server.accessTokenTtlSeconds,
      ...(server.tokenFormat === 'jwt'
        ? { accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: server.signingAlgorithm } } }
        : { accessTokenFormat: 'opaque' as const }),
    }
  },
})
