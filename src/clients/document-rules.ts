// What a client metadata document may say, and what is taken of it (draft-ietf-oauth-client-id-metadata-document-02 §4).

import { isOneLine, isPlainText, isTooDeep, isVisible } from '../platform/http/text.ts'
import { isObject, strings } from '../platform/values.ts'
import type { ClientMetadata } from './client.ts'
import { keysFault } from './key-rules.ts'
import { maxNameLength } from './open-bounds.ts'
import { isHttps, isLoopback, isOurs, redirectUriFault } from './redirect-rules.ts'

/** Thrown for a document that cannot make a client; the message is for the client's developer. */
export class DocumentRefused extends Error {
  override readonly name = 'DocumentRefused'
}

const methods = new Set(['none', 'private_key_jwt'])
const grantTypes = new Set(['authorization_code', 'refresh_token'])
const symmetric = /^(HS|dir$|A\d)/
const maxRedirectUris = 30

// Taken as they stand, for the engine to judge; everything else a document says is left out, its logo before all.
const plain = ['jwks', 'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg', 'userinfo_signed_response_alg', 'dpop_bound_access_tokens']
const ownAddresses = ['client_uri', 'policy_uri', 'tos_uri', 'jwks_uri']

/**
 * The registered metadata of the client at `address`. Redirect URIs are of the document's own origin or of the loopback: others are left
 * out, for whoever serves a document speaks for its host alone (§6). Throws {@link DocumentRefused}.
 */
export const metadataOf = (
  document: unknown,
  { address, issuer }: { readonly address: URL; readonly issuer: string },
): ClientMetadata & { readonly client_id: string } => {
  if (!isObject(document)) throw new DocumentRefused('the document is not a JSON object')
  if (isTooDeep(document) || !isPlainText(document)) throw new DocumentRefused('the document holds what text cannot')
  if (document.client_id !== address.href) throw new DocumentRefused('client_id in the document is not the address of the document')
  const method = methodOf(document)
  const weak = keysFault(document.jwks)
  if (weak !== undefined) throw new DocumentRefused(`jwks ${weak}`)
  const redirectUris = redirectUrisOf(document.redirect_uris, uri => isReturn(uri, address) && !isOurs(uri, issuer))
  return {
    ...pick(document, plain, () => true),
    ...pick(document, ownAddresses, value => isOwn(value, address)),
    client_id: address.href,
    client_name: nameOf(document.client_name) ?? address.host,
    application_type: redirectUris.some(isLoopback) ? 'native' : 'web',
    token_endpoint_auth_method: method,
    grant_types: grantTypesOf(document.grant_types),
    response_types: ['code'],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: strings(document.post_logout_redirect_uris).filter(uri => isReturn(uri, address) && !isOurs(uri, issuer)),
  }
}

// A secret that everybody can read is none (§4.1).
const methodOf = (document: Record<string, unknown>): string => {
  const { token_endpoint_auth_method: method = 'none', token_endpoint_auth_signing_alg: algorithm } = document
  if ('client_secret' in document || 'client_secret_expires_at' in document) throw new DocumentRefused('the document must not hold a secret')
  if (typeof method !== 'string' || !methods.has(method) || symmetric.test(String(algorithm ?? '')))
    throw new DocumentRefused('token_endpoint_auth_method must be none or private_key_jwt')
  return method
}

const grantTypesOf = (value: unknown): readonly string[] => {
  const taken = value === undefined ? ['authorization_code'] : strings(value).filter(type => grantTypes.has(type))
  if (!taken.includes('authorization_code')) throw new DocumentRefused('grant_types must contain authorization_code')
  return [...new Set(taken)]
}

const redirectUrisOf = (value: unknown, isTaken: (uri: string) => boolean): readonly string[] => {
  const uris = strings(value)
  if (uris.length > maxRedirectUris) throw new DocumentRefused('redirect_uris has too many members')
  const taken = uris.filter(isTaken)
  if (taken.length === 0) throw new DocumentRefused('redirect_uris must contain an address of the document’s own origin or of the loopback')
  return taken
}

const isReturn = (uri: string, address: URL) => redirectUriFault(uri) === undefined && (isLoopback(uri) || isOwn(uri, address))

const isOwn = (value: unknown, { origin }: URL) => typeof value === 'string' && isHttps(value) && URL.parse(value)?.origin === origin

const nameOf = (value: unknown): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.trim() !== '' && value.length <= maxNameLength && isOneLine(value) && isVisible(value)) return value.trim()
  throw new DocumentRefused('client_name must be one short line that shows something')
}

const pick = (from: Record<string, unknown>, names: readonly string[], isTaken: (value: unknown) => boolean) =>
  Object.fromEntries(names.filter(name => from[name] !== undefined && isTaken(from[name])).map(name => [name, from[name]]))
