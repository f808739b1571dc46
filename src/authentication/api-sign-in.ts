// Signing in to the API: the password first, then the second factor of whoever has one, and only then a session.
import { type CodeFactor, codesOf, withSecondFactor } from '../mfa/authenticator.ts'
import type { FactorRequirement } from '../mfa/requirement.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import type { SignInTickets } from '../mfa/tickets.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import type { Session } from '../sessions/session.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { SignIn } from './sign-in.ts'

/** A session that began; its token is told only here. */
export interface Begun {
  readonly token: string
  readonly session: Session
  readonly user: User
}

/** What is still missing: a second factor, proven with the ticket. */
export interface Asked {
  readonly ticket: string
  readonly factors: readonly CodeFactor[]
}

/** Signs people in to the API. */
export interface ApiSignIn {
  /** Throws what {@link SignIn.prove} throws, and `factor_required` when somebody must prove a second factor and has none, or none by code. */
  begin(actor: Actor, credentials: { email: string; password: string }): Promise<Begun | Asked>
  /** Throws `ticket_expired`, `invalid_code` and `too_many_attempts`. */
  finish(actor: Actor, proof: { ticket: string; factor: CodeFactor; code: string }): Promise<Begun>
}

interface Needs {
  readonly signIn: SignIn
  readonly users: Users
  readonly apiSessions: ApiSessions
  readonly secondFactor: SecondFactor
  readonly factorRequirement: FactorRequirement
  readonly tickets: SignInTickets
  readonly now: () => Date
}

/** Makes the service. */
export const createApiSignIn = ({ signIn, users, apiSessions, secondFactor, factorRequirement, tickets, now }: Needs): ApiSignIn => {
  const start = async (actor: Actor, { user, amr, since }: { user: User; amr: readonly string[]; since: Date }): Promise<Begun> => {
    const { session, token } = await apiSessions.begin(asUser(actor, user), { userId: user.id, amr, since })
    return { token, session, user }
  }
  return {
    begin: async (actor, { email, password }) => {
      const since = now()
      const { user, amr } = await signIn.prove(actor, { identifier: email, password })
      const held = await secondFactor.list(user.id)
      // An authenticator app asks for its code always; a passkey where it must be, and here a recovery code stands in for it.
      const isMust = !held.includes('totp') && (await factorRequirement.isRequired({ userId: user.id }))
      if (!isMust && !held.includes('totp')) return start(actor, { user, amr, since })
      const factors = codesOf(held)
      if (factors.length === 0) throw new Problem('factor_required')
      return { ticket: await tickets.issue(asUser(actor, user), { userId: user.id, amr, provenAt: since }), factors }
    },
    finish: async (actor, { ticket, factor, code }) => {
      const { id, userId, amr, provenAt } = await tickets.attempt(ticket)
      const user = await users.find(userId)
      if (!user || user.isSuspended) throw new Problem('ticket_expired')
      const second = await secondFactor.prove(asUser(actor, user), { userId, factor, code })
      await tickets.redeem(id)
      return start(actor, { user, amr: withSecondFactor(amr, second.amr), since: provenAt })
    },
  }
}

const asUser = (actor: Actor, { id }: User): Actor => ({ ...actor, kind: 'user', id, userId: id })
