// Signs with Node's own calls where the engine would have WebCrypto hand each signature to a thread.
//
// On a curve the hand-over costs more than the signature, and answers that come back one by one wake whoever waits for them one by one: what was
// asked for in one turn of the event loop is signed together at its end, which takes two fifths off the cost of a token. RSA is long enough to be worth a thread.
import { createPrivateKey, createPublicKey, type KeyObject, sign, webcrypto } from 'node:crypto'
import type { JWK } from 'jose'
import { ExternalSigningKey } from 'oidc-provider'
import { createBatch } from '../platform/data/batch.ts'
import { asideOfDeadline } from '../platform/deadline.ts'

type Sign = (data: Uint8Array) => Promise<Uint8Array>

/** Of 25 µs each: so many keep the event loop for less than a millisecond. */
const signedTogether = 32
/** Of a P-256 signature: r, then s (RFC 7518 §3.4). */
const scalarBytes = 32

class LocalSigningKey extends ExternalSigningKey {
  override readonly sign: Sign
  readonly #public: KeyObject

  constructor({ kid, alg }: JWK, key: KeyObject, sign: Sign) {
    super()
    Object.assign(this, { kid, alg })
    this.sign = sign
    this.#public = createPublicKey(key)
  }

  override keyObject(): KeyObject {
    return this.#public
  }
}

/** What the engine takes for a private key of the issuer: one that signs by itself; those under which others encrypt stay as they are. */
export const toEngineKey = (jwk: JWK): JWK | ExternalSigningKey => {
  const make = signers[String(jwk.alg)]
  if (!make) return jwk
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  return new LocalSigningKey(jwk, key, make(key))
}

const together = (signOne: (data: Uint8Array) => Uint8Array): Sign => {
  const sign = createBatch<Uint8Array, Uint8Array>({ run: async given => given.map(signOne), maxItems: signedTogether })
  // What there is to sign is done, or says that the time is over.
  return data => asideOfDeadline(() => sign(data))
}

const inThread =
  (algorithm: { readonly name: string; readonly saltLength?: number }) =>
  (key: KeyObject): Sign => {
    const imported = key.toCryptoKey({ name: algorithm.name, hash: 'SHA-256' }, false, ['sign'])
    return async data => new Uint8Array(await webcrypto.subtle.sign(algorithm, imported, data))
  }

// RFC 7518 §3.3 to §3.5, RFC 8037 §3.1.
const signers: Readonly<Record<string, (key: KeyObject) => Sign>> = {
  RS256: inThread({ name: 'RSASSA-PKCS1-v1_5' }),
  PS256: inThread({ name: 'RSA-PSS', saltLength: 32 }),
  // Node can give r and s by itself, but takes twice as long for it.
  ES256: key => together(data => toScalars(sign('sha256', data, key))),
  EdDSA: key => together(data => sign(null, data, key)),
}

/** The two integers of an ECDSA-Sig-Value (RFC 3279 §2.2.3), each without the zeros it begins with or with those it lacks. */
const toScalars = (der: Buffer): Buffer => {
  const scalars = Buffer.alloc(2 * scalarBytes)
  let at = 2
  for (const end of [scalarBytes, 2 * scalarBytes]) {
    const length = der.readUInt8(at + 1)
    const from = at + 2 + Math.max(0, length - scalarBytes)
    at += 2 + length
    der.copy(scalars, end - (at - from), from, at)
  }
  return scalars
}
