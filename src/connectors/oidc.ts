// Any OpenID Connect provider, by its issuer.
import { z } from 'zod'
import type { Connector, ConnectorNeeds } from './connector.ts'
import { issuerSchema } from './oidc-addresses.ts'
import { clientIdSchema, createOidcKind, type OidcSecrets } from './oidc-kind.ts'
import { authMethods } from './oidc-servers.ts'
import { identifyStandard } from './standard-claims.ts'

/** The settings of a provider. */
export const oidcSettings = z.strictObject({
  issuer: issuerSchema,
  client_id: clientIdSchema,
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/))
    .max(20)
    .refine(scopes => scopes.includes('openid'), 'must have openid')
    .default(['openid', 'email', 'profile']),
  /** The one algorithm of its ID tokens; what they are signed with otherwise is refused. */
  id_token_signed_response_alg: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']).default('RS256'),
  /** How we authenticate at its token endpoint; when absent by `client_secret_basic`, but for a provider that says it knows only the other. */
  token_endpoint_auth_method: z.enum(authMethods).optional(),
})

/** The settings of a provider. */
export type OidcSettings = z.output<typeof oidcSettings>

/** Makes the connector. */
export const createOidcConnector = (needs: Pick<ConnectorNeeds, 'fetch' | 'now' | 'randomBytes'>): Connector<OidcSettings, OidcSecrets> =>
  createOidcKind(needs, {
    id: 'oidc',
    name: 'OpenID Connect',
    settings: oidcSettings,
    authorityOf: ({ issuer }) => new URL(issuer).href,
    asked: ({ issuer, client_id: clientId, scopes, id_token_signed_response_alg: alg, token_endpoint_auth_method: authMethod }) => ({
      issuer,
      clientId,
      scopes,
      alg,
      authMethod,
    }),
    identify: identifyStandard,
  })
