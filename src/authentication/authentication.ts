// The words of this slice: how somebody proved themselves, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import type { User } from '../users/user.ts'

/** An authentication method reference (RFC 8176); `fed` is of no registry: another provider signed them in. */
export type AuthenticationMethodReference = 'fed' | 'pwd' | 'otp' | 'hwk' | 'swk' | 'user' | 'mfa'

/** What a successful proof gives. */
export interface Proof {
  readonly user: User
  readonly amr: readonly AuthenticationMethodReference[]
  /** When everything else in the account ended by it, where it was the first proof of the address. */
  readonly tookOverAt?: Date
}

/** A browser in which these users signed in before. */
export interface KnownDevice {
  readonly id: string
  readonly userIds: readonly string[]
  /** Those of them who proved two factors in it. */
  readonly twoFactorIds: readonly string[]
}

/** Why an attempt was refused. `credentials`: unknown, wrong or suspended, which are told apart to nobody. */
const refusalReason = z.enum(['credentials', 'too_many_attempts'])

/** Why an attempt was refused. */
export type RefusalReason = z.output<typeof refusalReason>

// By another provider it is told by which connection.
const proof = event('user', { method: z.string(), connection_id: z.string().optional() })
// A passkey's refusals have reasons of their own.
const refusal = event('user', { method: z.string(), reason: z.string(), connection_id: z.string().optional() })

/** The events of this slice. */
export const authenticationEvents = {
  'sign_in.succeeded': proof,
  'sign_in.refused': refusal,
  'reauthentication.succeeded': proof,
  'reauthentication.refused': refusal,
  'password.set': event('user', {}),
  'password.reset': event('user', {}),
  'email.verified': event('user', { is_first: z.boolean() }),
  'proof.requested': event('user', { purpose: z.string() }),
}

/** Throws `passwords_off` where nobody signs in by a password: then none is taken, set or mailed for over the API either. */
export const mustTakePasswords = ({ signInMethods }: { readonly signInMethods: readonly string[] }): void => {
  if (!signInMethods.includes('password')) throw new Problem('passwords_off')
}
