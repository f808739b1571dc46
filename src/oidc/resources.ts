// Resource indicators (RFC 8707): which resource servers there are and what their access tokens are like (RFC 9068).
import { type Configuration, errors } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { giveDefaultScope } from './default-scope.ts'

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>

/** Makes the engine's hooks. An unknown resource is `invalid_target`. */
export const resourceIndicators = (resourceServers: ResourceServers): ResourceIndicators => ({
  enabled: true,
  defaultResource: async (_ctx, _client, oneOf) => oneOf ?? [],
  // A client that asked for a resource gets its token, also where the token request does not name it again; userinfo is for tokens without one.
  useGrantedResource: async () => true,
  getResourceServerInfo: async (ctx, indicator) => {
    const server = await resourceServers.find(indicator)
    if (!server) throw new errors.InvalidTarget()
    giveDefaultScope(ctx, server)
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
