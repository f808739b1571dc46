// The words of this slice: how somebody proved themselves, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import type { User } from '../users/user.ts'

/** An authentication method reference (RFC 8176). */
export type AuthenticationMethodReference = 'pwd' | 'otp'

/** What a successful proof gives. */
export interface Proof {
  readonly user: User
  readonly amr: readonly AuthenticationMethodReference[]
}

const attempt = event('user', { method: z.string() })

/** The events of this slice. */
export const authenticationEvents = {
  'sign_in.succeeded': attempt,
  'sign_in.refused': attempt,
  'password.set': event('user', {}),
  'password.reset': event('user', {}),
  'email.verified': event('user', { is_first: z.boolean() }),
  'proof.requested': event('user', { purpose: z.string() }),
}
