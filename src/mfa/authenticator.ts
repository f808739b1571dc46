// The words of this slice: an authenticator, which is an enrolled factor, and its events.
import { z } from 'zod'
import { event, type RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'

/** The kinds of factor a person may enrol. */
export const factorKinds = ['totp', 'passkey'] as const

/** A kind of factor. */
export type FactorKind = (typeof factorKinds)[number]

/** What a code can be proven by: an enrolled authenticator app, or one of the codes for when it is lost. */
export const codeFactors = ['totp', 'recovery_code'] as const

/** A factor that is proven by typing a code. */
export type CodeFactor = (typeof codeFactors)[number]

/** All that a second factor can be proven by. */
export const secondFactors = ['totp', 'passkey', 'recovery_code'] as const

/** What a second factor is proven by. */
export type SecondFactorName = (typeof secondFactors)[number]

/** Of what somebody has, what is typed. */
export const codesOf = (factors: readonly SecondFactorName[]): readonly CodeFactor[] => codeFactors.filter(factor => factors.includes(factor))

/** What is done in the same commit as an enrolment. */
export type AlsoChanged = (tx: TransactionClient, record: RecordEvent) => Promise<void>

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

/**
 * How a factor is told to clients (RFC 8176 §2). A recovery code is a one-time password from a list, something one has, and so
 * `otp` like a TOTP; `kba` would be the answer to a question.
 */
export const amrOfCode = ['otp'] as const

/** More than one factor was proven (RFC 8176 §2). Whoever has it in their session is asked for no second one. */
export const multiFactor = 'mfa'

/** What was proven before, with a second factor on top. */
export const withSecondFactor = (first: readonly string[], second: readonly string[]): string[] => [...new Set([...first, ...second, multiFactor])]

/** An authenticator as the API tells of one. */
export const authenticatorOutput = z.object({
  id: z.uuid(),
  kind: z.enum(factorKinds),
  name: z.string(),
  confirmed: z.boolean(),
  last_used_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
})

/** Turns an authenticator into what {@link authenticatorOutput} lets through. */
export const toAuthenticatorOutput = ({ id, kind, name, confirmedAt, lastUsedAt, createdAt }: Authenticator): z.input<typeof authenticatorOutput> => ({
  id,
  kind,
  name,
  confirmed: confirmedAt !== undefined,
  last_used_at: lastUsedAt?.toISOString() ?? null,
  created_at: createdAt.toISOString(),
})

const shape = { user_id: z.string(), kind: z.string(), name: z.string() }

/** The events of this slice. */
export const mfaEvents = {
  'authenticator.enrolment_begun': event('authenticator', shape),
  'authenticator.enrolled': event('authenticator', shape),
  'authenticator.renamed': event('authenticator', shape),
  'authenticator.removed': event('authenticator', shape),
  'authenticator.counter_went_back': event('authenticator', shape),
  'recovery_codes.issued': event('user', {}),
  'factor.accepted': event('user', { factor: z.string() }),
  'factor.refused': event('user', { factor: z.string(), reason: z.string().optional() }),
  'sign_in.factor_asked': event('user', {}),
}
