// How a client authenticates, and how what travels between it and us is signed, encrypted and bound: registered metadata.
import { z } from 'zod'
import { text } from '../platform/http/text.ts'

/** How a client may authenticate. */
export const authenticationMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const

/** What we sign by. */
export const signingAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

/** What the key is encrypted by of what is encrypted. No RSA1_5 (RFC 8725 §3.2), and nothing symmetric: secrets are only kept as digests. */
export const keyManagementAlgorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'] as const

/** What the content is. */
export const contentAlgorithms = ['A128GCM', 'A256GCM', 'A128CBC-HS256'] as const

const signing = z.enum(signingAlgorithms)
const keyManagement = z.enum(keyManagementAlgorithms)
const content = z.enum(contentAlgorithms)
const algorithm = text(20)

/** The fields; the engine judges how they go together. */
export const protectionFields = {
  id_token_signed_response_alg: signing,
  id_token_encrypted_response_alg: keyManagement,
  id_token_encrypted_response_enc: content,
  userinfo_signed_response_alg: signing,
  userinfo_encrypted_response_alg: keyManagement,
  userinfo_encrypted_response_enc: content,
  introspection_signed_response_alg: signing,
  introspection_encrypted_response_alg: keyManagement,
  introspection_encrypted_response_enc: content,
  authorization_signed_response_alg: signing,
  authorization_encrypted_response_alg: keyManagement,
  authorization_encrypted_response_enc: content,
  request_object_signing_alg: algorithm,
  request_object_encryption_alg: keyManagement,
  request_object_encryption_enc: content,
  token_endpoint_auth_signing_alg: algorithm,
  response_modes: z.array(text(40)).min(1).max(10),
  require_pushed_authorization_requests: z.boolean(),
  require_signed_request_object: z.boolean(),
  dpop_bound_access_tokens: z.boolean(),
  tls_client_certificate_bound_access_tokens: z.boolean(),
  tls_client_auth_subject_dn: text(1000),
  tls_client_auth_san_dns: text(255),
  tls_client_auth_san_uri: text(2000),
  tls_client_auth_san_ip: text(50),
  tls_client_auth_san_email: text(320),
  use_mtls_endpoint_aliases: z.boolean(),
}
