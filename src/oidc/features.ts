// The engine's features: which are on, and with which of our own parts.
import type { Configuration } from 'oidc-provider'
import type { ConfigurationNeeds } from './configuration.ts'
import { resourceIndicators } from './resources.ts'

/** Makes them. */
export const features = ({
  pages,
  secrets,
  clients,
  registrationOf,
  resourceServers,
  findAccount,
  backchannel,
}: ConfigurationNeeds): Configuration['features'] => ({
  devInteractions: { enabled: false },
  backchannelLogout: { enabled: true },
  ciba: backchannel.feature(registrationOf),
  claimsParameter: { enabled: true },
  clientCredentials: { enabled: true },
  deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...pages.device },
  dPoP: { enabled: true, nonceSecret: secrets.derive('dpop-nonce'), requireNonce: () => false },
  introspection: {
    enabled: true,
    // A living user's token is told of to its own client, and to the confidential clients of the same organization.
    allowedPolicy: async (ctx, client, token) => {
      if ('accountId' in token && token.accountId && !(await findAccount(ctx, token.accountId, token))) return false
      if (token.clientId === client.clientId) return true
      const own = registrationOf(client)?.organizationId
      return client.clientAuthMethod !== 'none' && own !== undefined && own === (await clients.find(token.clientId ?? ''))?.organizationId
    },
  },
  jwtIntrospection: { enabled: true },
  jwtResponseModes: { enabled: true },
  jwtUserinfo: { enabled: true },
  pushedAuthorizationRequests: { enabled: true },
  registration: { enabled: true, initialAccessToken: true },
  registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
  requestObjects: { enabled: true },
  resourceIndicators: resourceIndicators(resourceServers),
  revocation: {
    enabled: true,
    allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
  },
  rpInitiatedLogout: { enabled: true, ...pages.logout },
  userinfo: { enabled: true },
})
