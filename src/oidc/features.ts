// The engine's features: which are on, and with which of our own parts.
import { type Configuration, errors } from 'oidc-provider'
import { faultOfAcr } from './acr.ts'
import { richAuthorizationRequests } from './authorization-details.ts'
import type { ConfigurationNeeds } from './configuration.ts'
import { introspectionPolicy } from './introspection.ts'
import { mutualTls as mutualTlsFeature } from './mutual-tls.ts'
import { registrationFeatures } from './registration.ts'
import { resourceIndicators } from './resources.ts'
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
  claimsParameter: {
    enabled: true,
    assertClaimsParameter: (_ctx, claims) => {
      const fault = faultOfAcr(claims)
      if (fault) throw new errors.InvalidRequest(fault)
    },
  },
  clientCredentials: { enabled: true },
  deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...pages.device },
  dPoP: { enabled: true, nonceSecret: secrets.derive('dpop-nonce'), requireNonce: verifyProofAlgorithm },
  encryption: { enabled: true },
  externalSigningSupport: { enabled: true, ack: 'experimental-01' },
  fapi: { enabled: true, profile: (_ctx, client) => (profileOf(client) ? '2.0' : undefined) },
  introspection: {
    enabled: true,
    allowedPolicy: introspectionPolicy({ clients, registrationOf, resourceServers, findAccount }),
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
