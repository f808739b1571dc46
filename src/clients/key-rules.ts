// The keys of clients (RFC 7517), and which they may have: none that is too short to be taken for anybody's.
import { isObject } from '../platform/values.ts'
import type { ClientMetadata } from './client.ts'

const minModulusBits = 2048

/** The keys of a set; none of what is no set. */
export const keysIn = (jwks: unknown): readonly Readonly<Record<string, unknown>>[] =>
  isObject(jwks) && Array.isArray(jwks.keys) ? jwks.keys.filter(isObject) : []

/** What is wrong with a set of keys: one of RSA has 2048 bits or more (RFC 7518 §3.3, §3.5, §4.2). What is no set is another's to say. */
export const keysFault = (jwks: unknown): string | undefined =>
  keysIn(jwks).some(isShort) ? `must have no RSA key of less than ${minModulusBits} bits` : undefined

const encrypted = ['id_token', 'userinfo', 'introspection', 'authorization'].map(what => `${what}_encrypted_response_alg`)

/** What is wrong with keys that stand in metadata: something is to be encrypted, and none is for its algorithm. Keys at an address may still come. */
export const encryptionFault = (metadata: ClientMetadata): string | undefined => {
  if (metadata.jwks === undefined) return undefined
  const keys = keysIn(metadata.jwks)
  const name = encrypted.find(one => typeof metadata[one] === 'string' && !keys.some(key => encrypts(key, String(metadata[one]))))
  return name === undefined ? undefined : `must have a key for ${metadata[name]} (${name})`
}

// RFC 7517 §4.2, §4.4; RFC 7518 §4.3, §4.6; RFC 8037 §3.2.
const encrypts = ({ kty, crv, use = 'enc', alg }: Readonly<Record<string, unknown>>, algorithm: string): boolean => {
  if (use !== 'enc' || (alg !== undefined && alg !== algorithm)) return false
  return algorithm.startsWith('RSA') ? kty === 'RSA' : kty === 'EC' || crv === 'X25519'
}

const isShort = ({ kty, n }: Readonly<Record<string, unknown>>): boolean => kty === 'RSA' && typeof n === 'string' && bitsOf(n) < minModulusBits

const bitsOf = (modulus: string): number => BigInt(`0x0${Buffer.from(modulus, 'base64url').toString('hex')}`).toString(2).length
