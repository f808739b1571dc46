// Signing up on the hosted pages. There is no user until the address is proven, by the browser in which the password was chosen: a
// password that a stranger chose in somebody's name never becomes that person's (pre-hijacking, see accept-proof.ts).
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import { parseEmail } from '../users/email.ts'
import type { ReplaceProfile, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AcceptProof } from './accept-proof.ts'
import type { Proof } from './authentication.ts'
import type { Passwords } from './password.ts'
import { keepPassword } from './password-row.ts'
import type { AnswerHere, ProofHere, Proofs } from './proofs.ts'
import type { ReplacePassword } from './replace-password.ts'
import type { VerifyStrength } from './strength.ts'

/** Who wants to be a user; `secret` is the hash of their password. To be kept sealed until the address is proven. */
export interface PendingUser {
  readonly name: string
  readonly secret: string
}

/** Makes users of people who prove their address. */
export interface ProvenSignUp {
  /** Mails the proof, or that there is an account already. Throws `validation_failed` at `email` or `password`, `too_many_attempts`. */
  begin(
    actor: Actor,
    person: Omit<ProofHere, 'purpose'> & { readonly name: string; readonly password: string },
  ): Promise<{ readonly id: string; readonly pending: PendingUser }>
  /** Makes the user, who is spoken to in the language of the page. Throws `code_wrong` while there are tries left, else `proof_expired`. */
  finish(actor: Actor, answer: Omit<AnswerHere, 'purpose'> & { readonly pending: PendingUser }): Promise<Proof>
}

interface Needs {
  readonly limit: MakeLimit
  readonly verifyStrength: VerifyStrength
  readonly proofs: Proofs
  readonly users: Users
  readonly passwords: Passwords
  readonly change: Change
  readonly acceptProof: AcceptProof
  readonly replacePassword: ReplacePassword
  readonly replaceProfile: ReplaceProfile
  readonly now: () => Date
}

/** Makes the service. Sixty sign-ups an address and minute. */
export const createProvenSignUp = (needs: Needs): ProvenSignUp => {
  const { limit, verifyStrength, proofs, users, passwords, change, acceptProof, replacePassword, replaceProfile, now } = needs
  const byAddress = limit('sign-up:page', { points: 60, durationSeconds: 60 })
  const create = async (actor: Actor, { email, name, secret }: PendingUser & { email: string }): Promise<Proof> => {
    const user = await users.create(actor, { email, name, locale: actor.language, isEmailVerified: true }, (tx, userId) => keepPassword(tx, { userId, secret }))
    return { user, amr: ['pwd'] }
  }
  // Somebody made an account with this address and never proved it: what its owner says of themselves takes the place of what stood there.
  const takeOver = async (actor: Actor, { userId, email, name, secret }: PendingUser & { userId: UserId; email: string }): Promise<Proof> => {
    const user = await change({ ...actor, kind: 'user', id: userId }, async (tx, record) => {
      const { isFirst } = await acceptProof(tx, record, { userId, email })
      if (!isFirst) throw new Problem('proof_expired')
      await replacePassword(tx, record, { userId, secret, actor })
      return replaceProfile(tx, record, { userId, name, locale: actor.language })
    })
    const tookOverAt = now()
    users.forget(userId)
    return { user, amr: ['pwd'], tookOverAt }
  }
  return {
    begin: async (actor, { name, password, ...proof }) => {
      parseEmail(proof.email)
      // A point before the password is hashed: what is dear is not had for nothing.
      await byAddress.consume(addressKey(actor.ip ?? 'unknown'))
      verifyStrength(password, { path: 'password', personal: { email: proof.email, name } })
      const secret = await passwords.hash(password)
      return { id: await proofs.askHere(actor, { ...proof, purpose: 'sign_up' }), pending: { name, secret } }
    },
    finish: async (actor, { pending, ...answer }) => {
      const { email } = await proofs.redeemHere({ ...answer, purpose: 'sign_up' })
      const user = await users.findByEmail(email)
      return user ? takeOver(actor, { ...pending, userId: user.id, email }) : create(actor, { ...pending, email })
    },
  }
}
