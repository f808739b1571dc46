// What a key of the issuer is: its algorithms, its states, and the events that tell of it.
//
// A signing key is published as `next`, signs as `current`, and is published as `retired` for as long as what it signed lives; then it is kept
// unpublished for what comes back to us alone (an `id_token_hint` at the end of a session), and forgotten. Keys under which others encrypt for us
// have no `next`: they need not be known ahead, for we open with every key that we have, so who still uses the last one is understood.
import { z } from 'zod'
import { signingAlgorithms } from '../clients/protection-fields.ts'
import { event } from '../platform/data/change.ts'

export const encryptionAlgorithms = ['RSA-OAEP-256', 'ECDH-ES'] as const
export const keyAlgorithms = [...signingAlgorithms, ...encryptionAlgorithms] as const
export const keyStates = ['current', 'next', 'retired', 'revoked'] as const

/** Under what a key signs, or others encrypt for us. */
export type KeyAlgorithm = (typeof keyAlgorithms)[number]

/** Whether an algorithm signs. */
export const isSigning = (algorithm: string): boolean => signingAlgorithms.some(one => one === algorithm)

/** A key as it may be told. */
export interface SigningKey {
  readonly id: string
  readonly kid: string
  readonly algorithm: string
  readonly state: string
  readonly createdAt: Date
  readonly activatedAt?: Date
  readonly retiredAt?: Date
  readonly revokedAt?: Date
}

/** The events of the keys. */
export const signingKeyEvents = {
  'signing_key.created': event('signing_key', { kid: z.string(), algorithm: z.string(), state: z.string() }),
  'signing_key.rotated': event('signing_key', { kid: z.string(), algorithm: z.string() }),
  'signing_key.revoked': event('signing_key', { kid: z.string(), algorithm: z.string(), state: z.string() }),
}
