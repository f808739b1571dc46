// What a client may be that anybody registered: one that signs people in, comes back over https or to the loopback, and has us ask nobody.
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { maxMetadataLength, maxNameLength, maxRedirectUris, returnFault } from '../clients/open-bounds.ts'
import { isLoopback } from '../clients/redirect-rules.ts'
import { invalidRedirectUri } from './problems.ts'

type FaultOf = (uri: unknown) => string | undefined

const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const grantTypes = ['authorization_code', 'refresh_token']

// Each has the server ask an address of the client's choice.
const fetched = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'backchannel_client_notification_endpoint', 'initiate_login_uri']
// RFC 7591 §2: what a server does not take it may leave out, and says so in its answer. Scopes are asked for with each request.
const leftOut = ['logo_uri', 'scope', 'software_id', 'software_version']

/** The engine's policy for it, at registration (RFC 7591) and at each change (RFC 7592). Throws `invalid_client_metadata` and `invalid_redirect_uri`. */
export const openPolicy = async ({ oidc: { issuer } }: KoaContextWithOIDC, metadata: Record<string, unknown>): Promise<void> => {
  for (const name of leftOut) delete metadata[name]
  for (const name of fetched) if (metadata[name] !== undefined) throw new errors.InvalidClientMetadata(`${name} needs an initial access token`)
  const { token_endpoint_auth_method: method = 'client_secret_basic', grant_types: types = grantTypes.slice(0, 1), client_name: name = '' } = metadata
  if (typeof method !== 'string' || !methods.includes(method))
    throw new errors.InvalidClientMetadata(`token_endpoint_auth_method must be one of ${methods.join(', ')}`)
  if (!Array.isArray(types) || !types.includes('authorization_code') || !types.every(type => grantTypes.includes(type)))
    throw new errors.InvalidClientMetadata('grant_types must be authorization_code, with or without refresh_token')
  if (metadata.response_types !== undefined && !isCode(metadata.response_types)) throw new errors.InvalidClientMetadata('response_types must be code')
  if (typeof name !== 'string' || name.length > maxNameLength)
    throw new errors.InvalidClientMetadata(`client_name must be text of at most ${maxNameLength} characters`)
  if (JSON.stringify(metadata).length > maxMetadataLength) throw new errors.InvalidClientMetadata('client metadata is too large')
  const faultOf = (uri: unknown) => returnFault(uri, issuer)
  const redirectUris = verified(metadata.redirect_uris, faultOf)
  verifyUris('post_logout_redirect_uris', metadata.post_logout_redirect_uris, faultOf)
  metadata.application_type ??= redirectUris.some(isLoopback) ? 'native' : 'web'
}

const isCode = (types: unknown): boolean => Array.isArray(types) && types.every(type => type === 'code')

const verified = (uris: unknown, faultOf: FaultOf): readonly string[] => {
  if (!Array.isArray(uris) || uris.length === 0 || uris.length > maxRedirectUris)
    throw invalidRedirectUri(`redirect_uris must have 1 to ${maxRedirectUris} members`)
  verifyUris('redirect_uris', uris, faultOf)
  return uris
}

/** Throws `invalid_redirect_uri` for the first of a list that has a fault. */
export const verifyUris = (name: string, uris: unknown, faultOf: FaultOf): void => {
  for (const [at, uri] of (Array.isArray(uris) ? uris : []).entries()) {
    const fault = faultOf(uri)
    if (fault !== undefined) throw invalidRedirectUri(`${name}[${at}] ${fault}`)
  }
}
