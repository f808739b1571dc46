// Which algorithms are spoken with clients: what they sign, what we sign for them, and how either is encrypted.
import type { Configuration } from 'oidc-provider'

// RFC 9864: `Ed25519` is the name that newer libraries sign under; we sign as `EdDSA`, which all know.
const theirs = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const
const ours = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
// No RSA1_5 (RFC 8725 §3.2), and nothing symmetric: secrets are only kept as digests.
const keyManagement = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'] as const
const content = ['A128GCM', 'A256GCM', 'A128CBC-HS256'] as const

/** The engine's `enabledJWA`. A secret is only kept where the client opted in, so HMAC is for `client_secret_jwt` and nothing else. */
export const algorithms: NonNullable<Configuration['enabledJWA']> = {
  clientAuthSigningAlgValues: ['HS256', ...theirs],
  requestObjectSigningAlgValues: [...theirs],
  dPoPSigningAlgValues: [...theirs],
  idTokenSigningAlgValues: [...ours],
  userinfoSigningAlgValues: [...ours],
  introspectionSigningAlgValues: [...ours],
  authorizationSigningAlgValues: [...ours],
  idTokenEncryptionAlgValues: [...keyManagement],
  userinfoEncryptionAlgValues: [...keyManagement],
  introspectionEncryptionAlgValues: [...keyManagement],
  authorizationEncryptionAlgValues: [...keyManagement],
  requestObjectEncryptionAlgValues: [...keyManagement],
  idTokenEncryptionEncValues: [...content],
  userinfoEncryptionEncValues: [...content],
  introspectionEncryptionEncValues: [...content],
  authorizationEncryptionEncValues: [...content],
  requestObjectEncryptionEncValues: [...content],
}
