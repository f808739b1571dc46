// What the engine asks of each client: PKCE, refresh tokens and origins.
import type { Configuration } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { verifyOfRefreshed } from './asked-scope.ts'
import { isRefreshable } from './resources.ts'
import { profileOf } from './security-profile.ts'

type Hooks = Pick<Configuration, 'pkce' | 'issueRefreshToken' | 'rotateRefreshToken' | 'expiresWithSession' | 'clientBasedCORS' | 'clientDefaults'>

/** Makes the hooks. */
export const clientHooks = ({
  registrationOf,
  resourceServers,
}: {
  registrationOf: (client: object) => Registration | undefined
  resourceServers: Pick<ResourceServers, 'find'>
}): Hooks => ({
  clientDefaults: {
    grant_types: ['authorization_code'],
    response_types: ['code'],
    id_token_signed_response_alg: 'RS256',
    token_endpoint_auth_method: 'client_secret_basic',
  },
  // RFC 9700 §2.1.1: a must for public clients; a confidential one may be let off by its operator.
  pkce: {
    required: (_ctx, client) => client.clientAuthMethod === 'none' || profileOf(client) !== undefined || (registrationOf(client)?.isPkceRequired ?? true),
  },
  // What was approved elsewhere is bound to no session here, so it goes on only where the person was shown that it does.
  issueRefreshToken: async (_ctx, client, source) =>
    client.grantTypeAllowed('refresh_token') &&
    (source.kind !== 'BackchannelAuthenticationRequest' || source.scopes.has('offline_access')) &&
    (await isRefreshable(source, resourceServers)),
  // RFC 9700 §4.14.2; FAPI 2.0 Security Profile §5.3.2.1 (9) has none: what holds the token there is the client's key.
  rotateRefreshToken: async ctx => {
    // Asked last before the token is used up.
    await verifyOfRefreshed(ctx, resourceServers)
    return profileOf(ctx.oidc.client) === undefined
  },
  // Without `offline_access` what is issued ends with the session it was issued in.
  expiresWithSession: async (_ctx, source) => !source.scopes.has('offline_access'),
  // Browsers may call where the client's own pages are: the origins of its redirect URIs.
  clientBasedCORS: (_ctx, origin, client) => origin !== 'null' && (client.redirectUris ?? []).some(uri => URL.canParse(uri) && new URL(uri).origin === origin),
})
