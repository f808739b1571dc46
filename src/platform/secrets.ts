// Keeps what must stay secret: keys derived from SECRET_KEY, one a purpose, to seal and to digest.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import { isLasting, type Purpose } from './purposes.ts'

const version = 'v2'
const ivBytes = 12
const tagBytes = 16
const lastingId = 'lasting'

/** Secrets under one SECRET_KEY and those before it. `context` binds a sealed value to its place: moved elsewhere, it no longer opens. */
export interface Secrets {
  /** What the values that are sealed now begin with, those of lasting purposes apart: it names the key. */
  readonly sealedPrefix: string
  /** A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869). */
  derive(purpose: Purpose): Buffer
  /** The current key for a purpose, then those under which it may have been made before. */
  deriveAll(purpose: Purpose): readonly Buffer[]
  /** AES-256-GCM; answers `v2.<id of the key>.<base64url of iv, tag and ciphertext>`. */
  seal(purpose: Purpose, plaintext: string, context: string): string
  /** Opens what {@link seal} closed, under this or a previous SECRET_KEY. Throws when it was altered, moved or sealed under another. */
  unseal(purpose: Purpose, sealed: string, context: string): string
  /** As {@link unseal}, for what may be older than the keys: `undefined` where it was sealed under one that is not known any more. */
  findUnsealed(purpose: Purpose, sealed: string, context: string): string | undefined
  /** HMAC-SHA-256. */
  digest(purpose: Purpose, value: string | Buffer): Buffer
  /** The digest, then what it may have been under the previous keys: for comparing. */
  digests(purpose: Purpose, value: string | Buffer): readonly Buffer[]
}

/** Keys by purpose, each derived when it is first asked for. */
interface KeySet {
  readonly id: string
  readonly derive: (purpose: Purpose) => Buffer
  readonly key: (purpose: Purpose) => KeyObject
}

interface Given {
  readonly secretKey: string
  /** What was SECRET_KEY before, or will be: opened with, never sealed under. */
  readonly previousKeys?: readonly string[]
  /** The keys of the lasting purposes; absent: those of this SECRET_KEY, which is right for the first. */
  readonly lasting?: ReadonlyMap<Purpose, Buffer>
  readonly randomBytes: (size: number) => Buffer
}

/** Derives everything from SECRET_KEY. */
export const createSecrets = ({ secretKey, previousKeys = [], lasting, randomBytes }: Given): Secrets => {
  const current = keySetOf(secretKey)
  const sets = [current, ...previousKeys.map(keySetOf)]
  const outlasting = lasting ? keysBy(lastingId, purpose => lasting.get(purpose) ?? missing(purpose)) : { ...current, id: lastingId }
  const setsFor = (purpose: Purpose): readonly KeySet[] => (isLasting(purpose) ? [outlasting] : sets)
  const sealing = (purpose: Purpose): KeySet => (isLasting(purpose) ? outlasting : current)
  const open = (purpose: Purpose, sealed: string, context: string): string | undefined => {
    const { keys, body } = addressed(sealed, setsFor(purpose))
    return decryptAny(
      keys.map(({ key }) => key(purpose)),
      { sealed: body, context },
    )
  }
  const digestUnder = (set: KeySet, purpose: Purpose, value: string | Buffer) => createHmac('sha256', set.key(purpose)).update(value).digest()
  return {
    sealedPrefix: `${version}.${current.id}.`,
    derive: purpose => sealing(purpose).derive(purpose),
    deriveAll: purpose => setsFor(purpose).map(set => set.derive(purpose)),
    seal: (purpose, plaintext, context) => {
      const { id, key } = sealing(purpose)
      return `${version}.${id}.${encrypt(key(purpose), randomBytes(ivBytes), plaintext, context).toString('base64url')}`
    },
    unseal: (purpose, sealed, context) => {
      const opened = open(purpose, sealed, context)
      if (opened === undefined) throw new Error('sealed under a key that is not known')
      return opened
    },
    findUnsealed: open,
    digest: (purpose, value) => digestUnder(sealing(purpose), purpose, value),
    digests: (purpose, value) => setsFor(purpose).map(set => digestUnder(set, purpose, value)),
  }
}

/** Whether a digest is one of those that a value may have. Compared in constant time. */
export const isOneOf = (digests: readonly Buffer[], presented: Buffer): boolean => digests.some(digest => isEqualSecret(digest, presented))

const keySetOf = (secretKey: string): KeySet => {
  const id = Buffer.from(hkdfSync('sha256', secretKey, 'authy2', 'key-id', 6)).toString('base64url')
  return keysBy(id, purpose => Buffer.from(hkdfSync('sha256', secretKey, 'authy2', purpose, 32)))
}

// A key that is handed over as bytes is imported anew each time, which costs five times the digest itself.
const keysBy = (id: string, derive: (purpose: Purpose) => Buffer): KeySet => {
  const keys = new Map<Purpose, KeyObject>()
  const key = (purpose: Purpose): KeyObject => {
    const known = keys.get(purpose)
    if (known) return known
    const made = createSecretKey(derive(purpose))
    keys.set(purpose, made)
    return made
  }
  return { id, derive, key }
}

const missing = (purpose: Purpose): never => {
  throw new Error(`there is no lasting key for ${purpose}`)
}

// The first version named no key: such a value is under one of them.
const addressed = (sealed: string, sets: readonly KeySet[]): { keys: readonly KeySet[]; body: Buffer } => {
  const [prefix, ...rest] = sealed.split('.')
  const [id, body] = prefix === 'v1' ? [undefined, rest[0]] : rest
  if ((prefix !== version && prefix !== 'v1') || !body || rest.length !== (prefix === 'v1' ? 1 : 2)) throw new Error('sealed value has an unknown version')
  return { keys: sets.filter(set => id === undefined || set.id === id), body: Buffer.from(body, 'base64url') }
}

const decryptAny = ([key, ...others]: readonly KeyObject[], given: { readonly sealed: Buffer; readonly context: string }): string | undefined => {
  if (!key) return undefined
  if (others.length === 0) return decrypt(key, given.sealed, given.context)
  try {
    return decrypt(key, given.sealed, given.context)
  } catch {
    return decryptAny(others, given) // the last one tells what is wrong
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
