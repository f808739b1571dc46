// Which of a client's keys something can be encrypted under: anybody may register what only looks like a key.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { Client } from 'oidc-provider'

/** The engine's store of a client's keys, as far as it is changed here. */
interface KeyStore {
  selectForEncrypt(options: object): readonly Key[]
}

type Key = JsonWebKey & { readonly kid?: string }

// RFC 7518 §4.3.
const leastRsaBits = 2048
// RFC 7518 §4.6, RFC 8037 §3.2: what keys are agreed upon with.
const curves = new Set(['P-256', 'P-384', 'P-521', 'X25519'])

/** Has the engine pass over keys that nothing can be encrypted under, so that it says there is none: that is the client's mistake. */
export const offerUsableKeys = (client: Client): void => {
  const keys = Reflect.get(client, 'asymmetricKeyStore') as KeyStore & object
  const { selectForEncrypt } = keys
  Object.assign(keys, { selectForEncrypt: (options: object) => selectForEncrypt.call(keys, options).filter(isUsable).map(bare) })
}

const isUsable = (key: Key): boolean => {
  if (key.kty !== 'RSA' && !curves.has(String(key.crv))) return false
  try {
    const { modulusLength } = createPublicKey({ key: bare(key), format: 'jwk' }).asymmetricKeyDetails ?? {}
    return modulusLength === undefined || modulusLength >= leastRsaBits
  } catch {
    return false // what cannot be read is no key
  }
}

// The engine has looked at what a key is for; whoever encrypts may take the same words for something else.
const bare = ({ kty, crv, x, y, n, e, kid }: Key): Key =>
  Object.fromEntries(Object.entries({ kty, crv, x, y, n, e, kid }).filter(([, value]) => value !== undefined))
