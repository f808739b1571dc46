// Keeps what must stay secret: keys derived from SECRET_KEY, one a purpose, to seal and to digest.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** What a derived key is for. A value sealed or digested for one purpose is nothing for another. */
export type Purpose =
  | 'client-secret'
  | 'client-secret-sealed'
  | 'signing-key'
  | 'artifact'
  | 'cookie'
  | 'csrf'
  | 'dpop-nonce'
  | 'pairwise'
  | 'form'
  | 'cursor'
  | 'idempotency'
  | 'job'
  | 'challenge'
  | 'audit-chain'
  | 'audit-anchor'
  | 'audit-checkpoint'
  | 'audit-checkpoint-mac'
  | 'audit-checkpoint-place'
  | 'totp'
  | 'recovery-code'
  | 'connection'
  | 'upstream-request'
  | 'stand-in'
  | 'token-reference'

const version = 'v1'
const ivBytes = 12
const tagBytes = 16

/** Secrets under one SECRET_KEY. `context` binds a sealed value to its place: moved elsewhere, it no longer opens. */
export interface Secrets {
  /** A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869). */
  derive(purpose: Purpose): Buffer
  /** AES-256-GCM; answers `v1.<base64url of iv, tag and ciphertext>`. */
  seal(purpose: Purpose, plaintext: string, context: string): string
  /** Opens what {@link seal} closed. Throws when it was altered, moved or sealed under another key. */
  unseal(purpose: Purpose, sealed: string, context: string): string
  /** HMAC-SHA-256. */
  digest(purpose: Purpose, value: string | Buffer): Buffer
}

/** Derives everything from SECRET_KEY. */
export const createSecrets = ({ secretKey, randomBytes }: { secretKey: string; randomBytes: (size: number) => Buffer }): Secrets => {
  const keys = new Map<Purpose, KeyObject>()
  const derive = (purpose: Purpose): Buffer => Buffer.from(hkdfSync('sha256', secretKey, 'authy2', purpose, 32))
  // A key that is handed over as bytes is imported anew each time, which costs five times the digest itself.
  const keyFor = (purpose: Purpose): KeyObject => {
    const known = keys.get(purpose)
    if (known) return known
    const key = createSecretKey(derive(purpose))
    keys.set(purpose, key)
    return key
  }
  return {
    derive,
    seal: (purpose, plaintext, context) => `${version}.${encrypt(keyFor(purpose), randomBytes(ivBytes), plaintext, context).toString('base64url')}`,
    unseal: (purpose, sealed, context) => {
      const [prefix, body] = sealed.split('.', 2)
      if (prefix !== version || !body) throw new Error('sealed value has an unknown version')
      return decrypt(keyFor(purpose), Buffer.from(body, 'base64url'), context)
    },
    digest: (purpose, value) => createHmac('sha256', keyFor(purpose)).update(value).digest(),
  }
}

/** SHA-256 of a bearer secret under the name of its kind: what is stored in its place. */
export const hashOf = (kind: string, value: string): Buffer => hash('sha256', `${kind}\0${value}`, 'buffer')

/** Whether two secrets are equal, in constant time for equal lengths. */
export const isEqualSecret = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

/** Seals under a key made from a bearer secret itself, so that only its holder can open (no stored key can). */
export const sealUnder = (secret: string, plaintext: string, iv: Buffer): Buffer => encrypt(keyOf(secret), iv, plaintext, 'successor')

/** Opens what {@link sealUnder} closed. Throws when the secret is another. */
export const unsealUnder = (secret: string, sealed: Buffer): string => decrypt(keyOf(secret), sealed, 'successor')

const keyOf = (secret: string): KeyObject => createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'authy2', 'successor', 32)))

const encrypt = (key: KeyObject, iv: Buffer, plaintext: string, context: string): Buffer => {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(context))
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext])
}

// The length of the tag is said, or Node would take a shorter one, which can be guessed.
const decrypt = (key: KeyObject, sealed: Buffer, context: string): string => {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes }).setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8')
}
