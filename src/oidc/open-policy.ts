// What a client may be that anybody registered: one that signs people in, comes back over https or to the loopback, and has us ask nobody.
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { redirectUriFault } from '../clients/client.ts'
import { isHttps, isLoopback } from '../clients/redirect-rules.ts'

const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const grantTypes = ['authorization_code', 'refresh_token']
const maxRedirectUris = 10
const maxNameLength = 100
const maxLength = 8192

// Each has the server ask an address of the client's choice.
const fetched = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'backchannel_client_notification_endpoint', 'initiate_login_uri']
// RFC 7591 §2: what a server does not take it may leave out, and says so in its answer. Scopes are asked for with each request.
const leftOut = ['logo_uri', 'scope', 'software_id', 'software_version']

/** The engine's policy for it, at registration (RFC 7591) and at each change (RFC 7592). Throws `invalid_client_metadata` and `invalid_redirect_uri`. */
export const openPolicy = async (_ctx: KoaContextWithOIDC, metadata: Record<string, unknown>): Promise<void> => {
  for (const name of leftOut) delete metadata[name]
  for (const name of fetched) if (metadata[name] !== undefined) throw new errors.InvalidClientMetadata(`${name} needs an initial access token`)
  const { token_endpoint_auth_method: method = 'client_secret_basic', grant_types: types = grantTypes.slice(0, 1), client_name: name = '' } = metadata
  if (typeof method !== 'string' || !methods.includes(method))
    throw new errors.InvalidClientMetadata(`token_endpoint_auth_method must be one of ${methods.join(', ')}`)
  if (!Array.isArray(types) || !types.includes('authorization_code') || !types.every(type => grantTypes.includes(type)))
    throw new errors.InvalidClientMetadata('grant_types must be authorization_code, with or without refresh_token')
  if (typeof name !== 'string' || name.length > maxNameLength) throw new errors.InvalidClientMetadata('client_name is too long')
  if (JSON.stringify(metadata).length > maxLength) throw new errors.InvalidClientMetadata('client metadata is too large')
  const redirectUris = verified(metadata.redirect_uris)
  for (const uri of Array.isArray(metadata.post_logout_redirect_uris) ? metadata.post_logout_redirect_uris : []) verifyReturn(uri)
  metadata.application_type ??= redirectUris.some(isLoopback) ? 'native' : 'web'
}

const verified = (uris: unknown): readonly string[] => {
  if (!Array.isArray(uris) || uris.length === 0 || uris.length > maxRedirectUris)
    throw new errors.InvalidRedirectUri(`redirect_uris must have 1 to ${maxRedirectUris} members`)
  for (const uri of uris) verifyReturn(uri)
  return uris
}

const verifyReturn = (uri: unknown): void => {
  if (typeof uri !== 'string' || !(isHttps(uri) || isLoopback(uri))) throw new errors.InvalidRedirectUri('redirect URIs must be https, or http on the loopback')
  if (uri.includes('#')) throw new errors.InvalidRedirectUri('redirect URIs must not contain a fragment')
  const fault = redirectUriFault(uri)
  if (fault !== undefined) throw new errors.InvalidRedirectUri(`redirect URIs ${fault}`)
}
