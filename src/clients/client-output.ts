// Clients as the API takes and gives them: metadata under its registered names (RFC 7591), unknown names refused.
import { z } from 'zod'
import { brandingBody, warningsOf, warningsOutput } from '../platform/branding-settings.ts'
import { name, uuid } from '../platform/http/text.ts'
import type { Client, ClientChanges, ClientMetadata, ClientSecret } from './client.ts'
import { furtherMetadata, shownMetadata, uris } from './further-metadata.ts'
import { grantTypes } from './grant-types.ts'
import { authenticationMethods } from './protection-fields.ts'
import { responseTypes, responseTypesOf } from './response-types.ts'
import { profileDefaults, securityProfiles } from './security-profile.ts'
import { type TokenExchangePolicy, tokenExchangeBody } from './token-exchange.ts'

const own = {
  name: name(255),
  token_endpoint_auth_method: z.enum(authenticationMethods),
  grant_types: z.array(z.enum(grantTypes)).min(1).max(grantTypes.length),
  response_types: z.array(z.enum(responseTypes)).max(responseTypes.length),
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  require_pkce: z.boolean(),
  security_profile: z.enum(securityProfiles).nullable(),
  refresh_grace_seconds: z.int().min(0).max(300),
  metadata: furtherMetadata,
  branding: brandingBody,
  connections: z
    .array(uuid)
    .max(100)
    .transform(list => [...new Set(list)])
    .nullable(),
  is_members_only: z.boolean(),
}

/** What a client may do on the management API for itself, out of these names. */
export const apiPermissionsField = (names: readonly string[]) => ({
  api_permissions: z
    .array(z.enum(names))
    .max(names.length)
    .transform(list => [...new Set(list)])
    .optional(),
})

/** What a client may be changed to. */
export const clientBody = z.strictObject({ ...own, owner_user_id: uuid, disabled: z.boolean() }).partial()

/** What a new client is made of. */
export const newClientBody = z.strictObject({
  ...z.strictObject(own).partial().shape,
  name: own.name,
  token_endpoint_auth_method: own.token_endpoint_auth_method.default('client_secret_basic'),
  grant_types: own.grant_types.default(['authorization_code', 'refresh_token']),
})

/** What a new client may be beside what it may be changed to: an agent stays one, and whose it is. */
export const agentFields = { is_agent: z.boolean().default(false), owner_user_id: uuid.optional() }

/** What only the operator of the system may say of a client: its own clients are not asked for consent, and whose tokens it may exchange. */
export const systemFields = { first_party: z.boolean().optional(), token_exchange: tokenExchangeBody.nullable().optional() }

/** A secret as it is told, never with itself. */
export const clientSecretOutput = z.object({ id: z.uuid(), hint: z.string(), created_at: z.iso.datetime(), expires_at: z.iso.datetime().nullable() })

const tokenExchangeOutput = z.object({
  allowed_clients: z.union([z.literal('own'), z.array(z.string())]),
  audiences: z.array(z.object({ identifier: z.string(), scopes: z.array(z.string()) })),
  may_impersonate: z.boolean(),
  may_delegate: z.boolean(),
})

/** A client as it is told. */
export const clientOutput = z.object({
  id: z.uuid(),
  client_id: z.string(),
  organization_id: z.uuid().nullable(),
  source: z.enum(['operator', 'token', 'open', 'document', 'person']),
  name: z.string(),
  first_party: z.boolean(),
  token_endpoint_auth_method: z.string(),
  grant_types: z.array(z.string()),
  response_types: z.array(z.string()),
  redirect_uris: z.array(z.string()),
  post_logout_redirect_uris: z.array(z.string()),
  require_pkce: z.boolean(),
  security_profile: z.enum(securityProfiles).nullable(),
  refresh_grace_seconds: z.int(),
  api_permissions: z.array(z.string()),
  token_exchange: tokenExchangeOutput.nullable(),
  metadata: z.record(z.string(), z.json()),
  branding: brandingBody,
  connections: z.array(z.uuid()).nullable(),
  is_members_only: z.boolean(),
  is_agent: z.boolean(),
  owner_user_id: z.uuid().nullable(),
  warnings: warningsOutput,
  secrets: z.array(clientSecretOutput),
  disabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** What not every body may say. */
export interface OwnersFields {
  readonly first_party?: boolean | undefined
  readonly api_permissions?: readonly string[] | undefined
  readonly token_exchange?: TokenExchangePolicy | null | undefined
}

/** Turns a body into changes. */
export const toChanges = (body: z.output<typeof clientBody> & OwnersFields): ClientChanges => ({
  name: body.name,
  isFirstParty: body.first_party,
  authenticationMethod: body.token_endpoint_auth_method,
  grantTypes: body.grant_types,
  responseTypes: body.response_types,
  redirectUris: body.redirect_uris,
  postLogoutRedirectUris: body.post_logout_redirect_uris,
  isPkceRequired: body.require_pkce,
  securityProfile: body.security_profile,
  refreshGraceSeconds: body.refresh_grace_seconds,
  apiPermissions: body.api_permissions,
  tokenExchange: body.token_exchange,
  metadata: body.metadata,
  branding: body.branding,
  connections: body.connections,
  isMembersOnly: body.is_members_only,
  ownerUserId: body.owner_user_id,
  isDisabled: body.disabled,
})

/** A client's metadata as the engine would read it, with the changes made. */
export const toMetadata = (client: Pick<Client, 'clientId'> & Partial<Client>, changes: ClientChanges): ClientMetadata & { readonly client_id: string } => {
  // Who registers may have none (RFC 7591 §2); the engine takes an empty one for a wrong one.
  const name = changes.name ?? client.name
  const given = changes.grantTypes ?? client.grantTypes ?? []
  const profile = changes.securityProfile === undefined ? client.securityProfile : (changes.securityProfile ?? undefined)
  return {
    ...profileDefaults(profile),
    require_pkce: changes.isPkceRequired ?? client.isPkceRequired,
    ...(changes.metadata ?? client.metadata),
    client_id: client.clientId,
    ...(name ? { client_name: name } : {}),
    token_endpoint_auth_method: changes.authenticationMethod ?? client.authenticationMethod,
    grant_types: given,
    response_types: changes.responseTypes ?? (changes.grantTypes ? undefined : client.responseTypes) ?? responseTypesOf(given),
    redirect_uris: changes.redirectUris ?? client.redirectUris ?? [],
    post_logout_redirect_uris: changes.postLogoutRedirectUris ?? client.postLogoutRedirectUris ?? [],
  }
}

/** Turns a client into what {@link clientOutput} lets through. */
export const toClientOutput = (client: Client): z.input<typeof clientOutput> => ({
  id: client.id,
  client_id: client.clientId,
  organization_id: client.organizationId ?? null,
  source: client.source,
  name: client.name,
  first_party: client.isFirstParty,
  token_endpoint_auth_method: client.authenticationMethod,
  grant_types: [...client.grantTypes],
  response_types: [...client.responseTypes],
  redirect_uris: [...client.redirectUris],
  post_logout_redirect_uris: [...client.postLogoutRedirectUris],
  // RFC 9700 §2.1.1: a must for public clients, whatever was said of them.
  require_pkce: client.isPkceRequired || client.authenticationMethod === 'none',
  security_profile: client.securityProfile ?? null,
  refresh_grace_seconds: client.refreshGraceSeconds,
  api_permissions: [...client.apiPermissions],
  token_exchange: client.tokenExchange ?? null,
  metadata: z.record(z.string(), z.json()).parse(shownMetadata(client.metadata)),
  branding: client.branding,
  connections: client.connections ? [...client.connections] : null,
  is_members_only: client.isMembersOnly,
  is_agent: client.isAgent,
  owner_user_id: client.ownerUserId ?? null,
  warnings: warningsOf(client.branding),
  secrets: client.secrets.map(toClientSecretOutput),
  disabled: client.isDisabled,
  created_at: client.createdAt.toISOString(),
  updated_at: client.updatedAt.toISOString(),
})

/** Turns a secret into what {@link clientSecretOutput} lets through. */
export const toClientSecretOutput = ({ id, hint, createdAt, expiresAt }: ClientSecret): z.input<typeof clientSecretOutput> => ({
  id,
  hint,
  created_at: createdAt.toISOString(),
  expires_at: expiresAt?.toISOString() ?? null,
})
