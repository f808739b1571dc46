// Hashes of passwords that other systems made: read strictly, and bounded before any work is done, for a hash may be a bomb.
import { pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'

/** Whether the password is the one of the hash, by a library that reads hashes itself. */
export type VerifyHash = (password: string, hash: string) => Promise<boolean>

/** The libraries that only one place may know. None works on the main thread. */
export interface HashEngines {
  readonly argon2: VerifyHash
  readonly bcrypt: VerifyHash
}

/** A hash that was read: how to verify a password against it, or why it is not taken. */
export type ReadHash = { readonly verify: (password: string, engines: HashEngines) => Promise<boolean> } | { readonly fault: string }

interface HashKind {
  /** How hashes of this kind begin. */
  readonly start: RegExp
  read(hash: string): ReadHash
}

// Each of these takes at most about 0.7 s of one core, and 256 MiB; but bcrypt, whose costs double, up to 1.5 s.
const maxMemoryBytes = 256 * 1024 ** 2
const maxArgon2Work = 2 ** 19
const maxScryptWork = 192 * 1024 ** 2
const maxPbkdf2Work = { sha1: 1_500_000, sha256: 1_500_000, sha512: 1_000_000 }
const maxLength = 512

const digests = z.enum(['sha1', 'sha256', 'sha512'])
const scryptBytes = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)
const pbkdf2Bytes = promisify(pbkdf2)

/** Reads a hash of any kind that is known here; the fault never tells the hash. */
export const readHash = (given: string): ReadHash => {
  // Django puts the name of its hasher before what argon2 and bcrypt write.
  const hash = given.replace(/^argon2(?=\$argon2)|^bcrypt\$(?=\$2)/, '')
  if (hash.length > maxLength) return { fault: `is longer than ${maxLength} characters` }
  return kinds.find(({ start }) => start.test(hash))?.read(hash) ?? { fault: 'is of no kind that is taken: argon2, bcrypt, scrypt or PBKDF2' }
}

// The PHC string format; version 16 where none is told.
const argon2: HashKind = {
  start: /^\$argon2/,
  read: hash => {
    const [, text, saltText, tagText] = /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?([a-z0-9=,]{1,64})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash) ?? []
    const { m = 0, t = 0, p = 0, ...others } = numbersOf(text)
    const [salt, tag] = [bytesOf(saltText), bytesOf(tagText)]
    if (!salt || !tag || Object.keys(others).length > 0) return malformed('argon2')
    return bounded(
      [
        [p, 1, 4, 'p'],
        [m, 8 * p, maxMemoryBytes / 1024, 'm'],
        [t, 1, 10, 't'],
        [m * t, 1, maxArgon2Work, 'm·t'],
        [salt.length, 8, 64, 'the length of the salt'],
        [tag.length, 16, 64, 'the length of the hash'],
      ],
      (password, engines) => engines.argon2(password, hash),
    )
  },
}

// What is beyond byte 72 counts for nothing, as wherever the hash was made. `$2x$` names hashes of a broken implementation.
const bcrypt: HashKind = {
  start: /^\$2/,
  read: hash => {
    const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash) ?? []
    if (cost === undefined) return malformed('bcrypt')
    return bounded([[Number(cost), 4, 14, 'the cost']], (password, engines) => engines.bcrypt(password, hash))
  },
}

const scryptKind: HashKind = {
  start: /^\$scrypt\$/,
  read: hash => {
    const [, text, saltText, keyText] = /^\$scrypt\$([a-z0-9=,]{1,64})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash) ?? []
    const { ln = 0, r = 0, p = 0, ...others } = numbersOf(text)
    const [salt, key] = [bytesOf(saltText), bytesOf(keyText)]
    if (!salt || !key || Object.keys(others).length > 0) return malformed('scrypt')
    const memory = 128 * 2 ** Math.min(ln, 64) * r
    return bounded(
      [
        [r, 1, 32, 'r'],
        // RFC 7914 §2: N is less than 2^(128·r/8).
        [ln, 1, Math.min(21, 16 * r - 1), 'ln'],
        [p, 1, 16, 'p'],
        [memory, 1, maxMemoryBytes, 'the memory'],
        [memory * p, 1, maxScryptWork, 'the memory times p'],
        ...lengths(salt, key),
      ],
      // Node wants room for more than the blocks themselves.
      async password => timingSafeEqual(await scryptBytes(password, salt, key.length, { N: 2 ** ln, r, p, maxmem: memory + 1024 ** 2 }), key),
    )
  },
}

// Three spellings: the PHC one (`i=`), passlib's (a bare number, `.` for `+`), and Django's (no leading `$`, the salt as text, padded).
const pbkdf2Kind: HashKind = {
  start: /^\$pbkdf2|^pbkdf2_/,
  read: hash => {
    const found =
      /^\$pbkdf2(?:-(?<digest>sha1|sha256|sha512))?\$(?:i=)?(?<count>\d{1,10})(?:,l=(?<length>\d{1,3}))?\$(?<salt>[A-Za-z0-9+/.]+)\$(?<key>[A-Za-z0-9+/.]+)$/.exec(
        hash,
      ) ?? /^pbkdf2_(?<digest>sha1|sha256|sha512)\$(?<count>\d{1,10})\$(?<text>[A-Za-z0-9+/=._-]+)\$(?<key>[A-Za-z0-9+/]+={0,2})$/.exec(hash)
    const { digest: digestText = 'sha1', count = '', length, salt: saltText, text, key: keyText } = found?.groups ?? {}
    const digest = digests.parse(digestText)
    const salt = text === undefined ? bytesOf(saltText) : Buffer.from(text)
    const key = bytesOf(text === undefined ? keyText : keyText?.replace(/=+$/, ''))
    if (!salt || !key || (length !== undefined && Number(length) !== key.length)) return malformed('PBKDF2')
    const blocks = Math.ceil(key.length / digestBytes(digest))
    const maxWork = maxPbkdf2Work[digest]
    return bounded(
      [
        [Number(count), 1000, maxWork, 'the number of iterations'],
        [Number(count) * blocks, 1, maxWork, 'the number of iterations times blocks'],
        ...lengths(salt, key),
      ],
      async password => timingSafeEqual(await pbkdf2Bytes(password, salt, Number(count), key.length, digest), key),
    )
  },
}

const kinds: readonly HashKind[] = [argon2, bcrypt, scryptKind, pbkdf2Kind]

type Bound = readonly [value: number, min: number, max: number, name: string]

const bounded = (bounds: readonly Bound[], verify: (password: string, engines: HashEngines) => Promise<boolean>): ReadHash => {
  const broken = bounds.find(([value, min, max]) => !(value >= min && value <= max))
  if (!broken) return { verify }
  const [, min, max, name] = broken
  return { fault: `${name} must be between ${min} and ${max}` }
}

const lengths = (salt: Buffer, key: Buffer): readonly Bound[] => [
  [salt.length, 4, 64, 'the length of the salt'],
  [key.length, 16, 64, 'the length of the hash'],
]

const malformed = (kind: string): ReadHash => ({ fault: `is not a well-formed ${kind} hash` })

// `m=65536,t=3,p=4`, in any order, each once; none at all where it is not so.
const numbersOf = (text = ''): Readonly<Record<string, number>> => {
  const pairs = text.split(',').map(pair => /^([a-z]{1,8})=(0|[1-9]\d{0,9})$/.exec(pair))
  const numbers = Object.fromEntries(pairs.flatMap(pair => (pair ? [[pair[1], Number(pair[2])]] : [])))
  return Object.keys(numbers).length === pairs.length ? numbers : {}
}

// Strict: what decodes encodes to the same again (RFC 4648 §3.5), without padding; `.` is how passlib writes `+`.
const bytesOf = (text: string | undefined): Buffer | undefined => {
  if (text === undefined) return undefined
  const plain = text.replaceAll('.', '+')
  const bytes = Buffer.from(plain, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === plain ? bytes : undefined
}

const digestBytes = (digest: z.output<typeof digests>) => ({ sha1: 20, sha256: 32, sha512: 64 })[digest]
