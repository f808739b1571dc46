// The engine's configuration: what is on, for whom, and with which of our own parts.
import Provider, { type Configuration, type JWKS } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { ResponseType } from '../clients/response-types.ts'
import type { FindHeldScopes } from '../organizations/held-scopes.ts'
import type { CookieKeys } from '../platform/http/cookie-keys.ts'
import { sessionCookieName } from '../platform/http/session-cookie.ts'
import type { Languages } from '../platform/languages.ts'
import type { Secrets } from '../platform/secrets.ts'
import { claimsByScope } from './account.ts'
import { acrValues } from './acr.ts'
import type { createAdapters } from './adapter.ts'
import { algorithms } from './algorithms.ts'
import { keepZeroAge } from './asked-age.ts'
import { type AskedOrganizations, organizationScope } from './asked-organization.ts'
import { verifyAskedElsewhere } from './asked-scope.ts'
import type { BackchannelHooks } from './backchannel-hooks.ts'
import { clientHooks } from './client-hooks.ts'
import { clientRules } from './client-rules.ts'
import type { Demands } from './demands.ts'
import type { EnginePages } from './engine-pages.ts'
import { features } from './features.ts'
import { endsGrant } from './grants.ts'
import { backchannelSeconds, lifetimes } from './lifetimes.ts'
import { endpointAliases, type MutualTls, mutualTlsMethods } from './mutual-tls.ts'
import { interactionPath, paths } from './paths.ts'
import { createPolicy } from './policy.ts'
import type { registrationFeatures } from './registration.ts'
import { assertAssertion, refreshTokenSeconds } from './security-profile.ts'
import { authenticationClaims, composeTokenClaims, type TokenClaims } from './token-claims.ts'
import type { TokenReferences } from './token-reference.ts'

/** What the configuration is made of. */
export interface ConfigurationNeeds {
  readonly issuer: string
  readonly isSecure: boolean
  readonly adapters: ReturnType<typeof createAdapters>
  readonly clients: Clients
  readonly resourceServers: ResourceServers
  readonly detailsTypes: DetailsTypes
  readonly findHeldScopes: FindHeldScopes
  readonly pages: EnginePages
  readonly languages: Languages
  readonly secrets: Secrets
  /** Absent: clients have no certificates here. */
  readonly mutualTls?: MutualTls | undefined
  readonly cookieKeys: CookieKeys
  readonly demands: Demands
  readonly registration: Parameters<typeof registrationFeatures>[0]
  /** Those that are switched on. */
  readonly responseTypes: readonly ResponseType[]
  /** Whether clients may be addresses of metadata documents. */
  readonly hasDocumentClients: boolean
  readonly askedOrganizations: AskedOrganizations
  readonly fetch: typeof fetch
  readonly now: () => Date
  readonly backchannel: BackchannelHooks
  readonly findAccount: NonNullable<Configuration['findAccount']>
  readonly loadExistingGrant: NonNullable<Configuration['loadExistingGrant']>
  /** What access tokens say beyond how the person signed in; a later one overrides none of an earlier. */
  readonly tokenClaims: readonly TokenClaims[]
  readonly tokenReferences: TokenReferences
  /** The registration behind one of the engine's clients. */
  readonly registrationOf: (client: object) => Registration | undefined
}

/** Makes the configuration over today's keys. */
export const createConfiguration = (needs: ConfigurationNeeds, jwks: JWKS): Configuration => ({
  adapter: needs.adapters,
  jwks,
  findAccount: needs.findAccount,
  loadExistingGrant: needs.loadExistingGrant,
  revokeGrantPolicy: endsGrant,
  acrValues: [...acrValues],
  claims: { ...claimsByScope, iss: null, sid: null },
  scopes: ['openid', 'offline_access', organizationScope],
  // Where a client leads people who sign in by another provider: ours, and the name that others gave it. The organization that its tokens are for.
  // Of each parameter the engine asks a function of ours, whether it was sent or not.
  extraParams: { connection: null, idp_hint: keepZeroAge, organization: verifyAskedElsewhere },
  responseTypes: [...needs.responseTypes],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', ...mutualTlsMethods(needs.mutualTls), 'none'],
  enabledJWA: algorithms,
  assertJwtClientAuthClaimsAndHeader: assertAssertion(needs.now),
  discovery: {
    ui_locales_supported: [...needs.languages.tags],
    // The documents are read by us, not by the engine: kept where all processes see them.
    client_id_metadata_document_supported: needs.hasDocumentClients || undefined,
    ...endpointAliases(needs.mutualTls),
  },
  subjectTypes: ['public', 'pairwise'],
  pairwiseIdentifier: async (_ctx, accountId, client) => needs.secrets.digest('pairwise', `${client.sectorIdentifier}\0${accountId}`).toString('base64url'),
  // Read when a client is registered, not whenever one is loaded: another's server being down must not take the client down.
  sectorIdentifierUriValidate: () => ['registration', 'client_update'].includes(Provider.ctx?.oidc?.route ?? ''),
  allowOmittingSingleRegisteredRedirectUri: false,
  acceptQueryParamAccessTokens: false,
  clockTolerance: 15,
  cookies: cookies(needs),
  interactions: { policy: createPolicy(needs), url: (_ctx, interaction) => interactionPath(interaction) },
  renderError: needs.pages.error,
  fetch: needs.fetch,
  fetchResponseBodyLimits: { jwksUri: 65_536, sectorIdentifierUri: 65_536 },
  routes: { ...paths },
  ttl: {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
    AuthorizationCode: lifetimes.authorizationCode,
    BackchannelAuthenticationRequest: ctx => backchannelSeconds(ctx.oidc.params?.requested_expiry),
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.clientCredentials,
    DeviceCode: lifetimes.deviceCode,
    Grant: lifetimes.grant,
    IdToken: lifetimes.idToken,
    Interaction: lifetimes.interaction,
    RefreshToken: (_ctx, token, client) => refreshTokenSeconds(token, client),
    Session: lifetimes.session,
    InitialAccessToken: lifetimes.initialAccessToken,
  },
  ...clientHooks(needs),
  extraTokenClaims: composeTokenClaims([authenticationClaims, ...needs.tokenClaims]),
  formats: {
    customizers: {
      jwt: (_ctx, token, { payload }) => {
        payload.jti = needs.tokenReferences.jtiOf(token, String(payload.jti))
      },
    },
  },
  extraClientMetadata: clientRules(needs.registrationOf),
  features: features(needs),
})

const cookies = ({ cookieKeys, isSecure }: ConfigurationNeeds): Configuration['cookies'] => ({
  names: {
    session: sessionCookieName(isSecure),
    ...(isSecure ? { interaction: '__Secure-interaction', resume: '__Secure-resume' } : { interaction: 'interaction', resume: 'resume' }),
  },
  keys: cookieKeys as never,
  long: { httpOnly: true, sameSite: 'lax', path: '/', secure: isSecure, signed: true, overwrite: true },
  short: { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: true, overwrite: true },
})
