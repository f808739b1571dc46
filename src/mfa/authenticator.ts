// The words of this slice: an authenticator, which is an enrolled factor, and its events.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** The kinds of factor a person may enrol. */
export const factorKinds = ['totp', 'passkey'] as const

/** A kind of factor. */
export type FactorKind = (typeof factorKinds)[number]

/** An enrolled factor, as its owner may see it. */
export interface Authenticator {
  readonly id: string
  readonly userId: string
  readonly kind: FactorKind
  readonly name: string
  readonly confirmedAt?: Date
  readonly lastUsedAt?: Date
  readonly createdAt: Date
}

const shape = { user_id: z.string(), kind: z.string(), name: z.string() }

/** The events of this slice. */
export const mfaEvents = {
  'authenticator.enrolled': event('authenticator', shape),
  'authenticator.renamed': event('authenticator', shape),
  'authenticator.removed': event('authenticator', shape),
  'authenticator.counter_went_back': event('authenticator', shape),
  'recovery_codes.issued': event('user', {}),
  'factor.accepted': event('user', { factor: z.string() }),
  'factor.refused': event('user', { factor: z.string(), reason: z.string().optional() }),
}
