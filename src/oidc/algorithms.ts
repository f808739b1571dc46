// Which algorithms are spoken with clients: what they sign, what we sign for them, and how either is encrypted.
import type { Configuration } from 'oidc-provider'
import { contentAlgorithms, keyManagementAlgorithms, signingAlgorithms } from '../clients/protection-fields.ts'

// RFC 9864: `Ed25519` is the name that newer libraries sign under; we sign as `EdDSA`, which all know.
const theirs = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const

/** The engine's `enabledJWA`. A secret is only kept where the client opted in, so HMAC is for `client_secret_jwt` and nothing else. */
export const algorithms: NonNullable<Configuration['enabledJWA']> = {
  clientAuthSigningAlgValues: ['HS256', ...theirs],
  requestObjectSigningAlgValues: [...theirs],
  dPoPSigningAlgValues: [...theirs],
  idTokenSigningAlgValues: [...signingAlgorithms],
  userinfoSigningAlgValues: [...signingAlgorithms],
  introspectionSigningAlgValues: [...signingAlgorithms],
  authorizationSigningAlgValues: [...signingAlgorithms],
  idTokenEncryptionAlgValues: [...keyManagementAlgorithms],
  userinfoEncryptionAlgValues: [...keyManagementAlgorithms],
  introspectionEncryptionAlgValues: [...keyManagementAlgorithms],
  authorizationEncryptionAlgValues: [...keyManagementAlgorithms],
  requestObjectEncryptionAlgValues: [...keyManagementAlgorithms],
  idTokenEncryptionEncValues: [...contentAlgorithms],
  userinfoEncryptionEncValues: [...contentAlgorithms],
  introspectionEncryptionEncValues: [...contentAlgorithms],
  authorizationEncryptionEncValues: [...contentAlgorithms],
  requestObjectEncryptionEncValues: [...contentAlgorithms],
}
