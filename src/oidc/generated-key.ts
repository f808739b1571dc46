// A new key of the issuer, as a private and a public JWK.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { isSigning, type KeyAlgorithm } from './signing-key.ts'

/** A JWK that has its name. */
export type NamedJwk = JWK & { readonly kid: string }

/** Generates a pair for an algorithm. */
export type GenerateKey = (algorithm: KeyAlgorithm) => Promise<{ readonly privateJwk: NamedJwk; readonly publicJwk: NamedJwk }>

/** Generates a pair; its name is its thumbprint (RFC 7638). */
export const generateKey: GenerateKey = async algorithm => {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048, ...(algorithm === 'ECDH-ES' ? { crv: 'P-256' } : {}) })
  const kid = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
  // A key for ECDH-ES serves all of its variants (RFC 7518 §4.6).
  const purpose = isSigning(algorithm) ? { alg: algorithm, use: 'sig' } : { ...(algorithm === 'ECDH-ES' ? {} : { alg: algorithm }), use: 'enc' }
  const named = async (key: Parameters<typeof exportJWK>[0]) => ({ ...(await exportJWK(key)), kid, ...purpose })
  return { privateJwk: await named(pair.privateKey), publicJwk: await named(pair.publicKey) }
}
