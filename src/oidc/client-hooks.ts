// What the engine asks of each client: PKCE, refresh tokens and origins.
import type { Configuration } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'

type Hooks = Pick<Configuration, 'pkce' | 'issueRefreshToken' | 'rotateRefreshToken' | 'expiresWithSession' | 'clientBasedCORS' | 'clientDefaults'>

/** Makes the hooks. */
export const clientHooks = ({ registrationOf }: { registrationOf: (client: object) => Registration | undefined }): Hooks => ({
  clientDefaults: {
    grant_types: ['authorization_code'],
    response_types: ['code'],
    id_token_signed_response_alg: 'RS256',
    token_endpoint_auth_method: 'client_secret_basic',
  },
  // RFC 9700 §2.1.1: a must for public clients; a confidential one may be let off by its operator.
  pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' || (registrationOf(client)?.isPkceRequired ?? true) },
  // What was approved elsewhere is bound to no session here, so it goes on only where the person was shown that it does.
  issueRefreshToken: async (_ctx, client, source) =>
    client.grantTypeAllowed('refresh_token') && (source.kind !== 'BackchannelAuthenticationRequest' || source.scopes.has('offline_access')),
  // RFC 9700 §4.14.2; FAPI 2.0 lets confidential clients rotate because a retry with the old token succeeds.
  rotateRefreshToken: async () => true,
  // Without `offline_access` what is issued ends with the session it was issued in.
  expiresWithSession: async (_ctx, source) => !source.scopes.has('offline_access'),
  // Browsers may call where the client's own pages are: the origins of its redirect URIs.
  clientBasedCORS: (_ctx, origin, client) => origin !== 'null' && (client.redirectUris ?? []).some(uri => URL.canParse(uri) && new URL(uri).origin === origin),
})
