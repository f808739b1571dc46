// The keys of clients (RFC 7517), and which they may have: none that is too short to be taken for anybody's.
import { isObject } from '../platform/values.ts'

const minModulusBits = 2048

/** The keys of a set; none of what is no set. */
export const keysIn = (jwks: unknown): readonly Readonly<Record<string, unknown>>[] =>
  isObject(jwks) && Array.isArray(jwks.keys) ? jwks.keys.filter(isObject) : []

/** What is wrong with a set of keys: one of RSA has 2048 bits or more (RFC 7518 §3.3, §3.5, §4.2). What is no set is another's to say. */
export const keysFault = (jwks: unknown): string | undefined =>
  keysIn(jwks).some(isShort) ? `must have no RSA key of less than ${minModulusBits} bits` : undefined

const isShort = ({ kty, n }: Readonly<Record<string, unknown>>): boolean => kty === 'RSA' && typeof n === 'string' && bitsOf(n) < minModulusBits

const bitsOf = (modulus: string): number => BigInt(`0x0${Buffer.from(modulus, 'base64url').toString('hex')}`).toString(2).length
