// The engine's features: which are on, and with which of our own parts.
import type { Configuration } from 'oidc-provider'
import { richAuthorizationRequests } from './authorization-details.ts'
import type { ConfigurationNeeds } from './configuration.ts'
import { mutualTls as mutualTlsFeature } from './mutual-tls.ts'
import { registrationFeatures } from './registration.ts'
import { isForIt, isForLiving, resourceIndicators } from './resources.ts'
import { assertRequestObject, profileOf, verifyProofAlgorithm } from './security-profile.ts'

/** Makes them. */
export const features = ({
  registration,
  pages,
  secrets,
  clients,
  registrationOf,
  resourceServers,
  findAccount,
  mutualTls,
  now,
  backchannel,
  ...needs
}: ConfigurationNeeds): Configuration['features'] => ({
  devInteractions: { enabled: false },
  backchannelLogout: { enabled: true },
  ciba: backchannel.feature(registrationOf),
  claimsParameter: { enabled: true },
  clientCredentials: { enabled: true },
  deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...pages.device },
  dPoP: { enabled: true, nonceSecret: secrets.derive('dpop-nonce'), requireNonce: verifyProofAlgorithm },
  encryption: { enabled: true },
  fapi: { enabled: true, profile: (_ctx, client) => (profileOf(client) ? '2.0' : undefined) },
  introspection: {
    enabled: true,
    // A living user's token is told of to its own client, to the confidential clients of the same organization, and to the resource server it is for.
    allowedPolicy: async (ctx, client, token) => {
      // A token ends with the client that it was issued to, whoever asks.
      const issuedTo = await clients.find(token.clientId ?? '')
      if (!issuedTo) return false
      if ('accountId' in token && token.accountId && !(await findAccount(ctx, token.accountId, token))) return false
      if (!(await isForLiving(token, resourceServers))) return false
      if (token.clientId === client.clientId) return true
      if (client.clientAuthMethod === 'none') return false
      if (await isForIt(token, client, resourceServers)) return true
      const own = registrationOf(client)?.organizationId
      return own !== undefined && own === issuedTo.organizationId
    },
  },
  jwtIntrospection: { enabled: true },
  jwtResponseModes: { enabled: true },
  jwtUserinfo: { enabled: true },
  mTLS: mutualTlsFeature(mutualTls),
  pushedAuthorizationRequests: { enabled: true },
  ...registrationFeatures(registration),
  requestObjects: { enabled: true, assertJwtClaimsAndHeader: assertRequestObject(now) },
  resourceIndicators: resourceIndicators({ ...needs, resourceServers, registrationOf }),
  revocation: {
    enabled: true,
    allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
  },
  richAuthorizationRequests: richAuthorizationRequests({ ...needs, resourceServers, registrationOf }),
  rpInitiatedLogout: { enabled: true, ...pages.logout },
  userinfo: { enabled: true },
})
