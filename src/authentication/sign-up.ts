// Becoming a user with a password, and changing it: what is taken is strong, and both are proven.
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { Passwords } from './password.ts'
import { keepPassword } from './password-row.ts'
import type { Proofs } from './proofs.ts'
import { isCurrent, type SignIn } from './sign-in.ts'
import type { VerifyStrength } from './strength.ts'

/** Registers people and changes their passwords. */
export interface SignUp {
  /** Mails a proof of the address. Throws `validation_failed` for a weak password or no address, `email_taken`, and `too_many_attempts`. */
  register(actor: Actor, person: { email: string; password: string; name: string }): Promise<User>
  /** Ends everything the person is signed in with but the session of the caller. Throws `validation_failed` for a wrong or weak password, and one that was replaced meanwhile. */
  changePassword(actor: Actor, change: { user: User; currentPassword: string; newPassword: string }): Promise<void>
}

interface Needs {
  readonly users: Users
  readonly passwords: Passwords
  readonly signIn: SignIn
  readonly proofs: Proofs
  readonly limit: MakeLimit
  readonly verifyStrength: VerifyStrength
}

/** Makes the service. Sixty registrations an address and minute. */
export const createSignUp = ({ users, passwords, signIn, proofs, limit, verifyStrength }: Needs): SignUp => {
  const byAddress = limit('sign-up:address', { points: 60, durationSeconds: 60 })
  return {
    register: async (actor, { email, password, name }) => {
      await byAddress.consume(addressKey(actor.ip ?? 'unknown'))
      verifyStrength(password, { path: 'password', personal: { email, name } })
      const secret = await passwords.hash(password)
      // One commit: nobody is left without a password.
      return users.create(actor, { email, name }, async (tx, userId) => {
        await keepPassword(tx, { userId, secret })
        await proofs.askWithin(tx, actor, { purpose: 'email_verification', email })
      })
    },
    changePassword: async (actor, { user, currentPassword, newPassword }) => {
      verifyStrength(newPassword, { path: 'new_password', personal: user })
      const { methodId } = await proveAgain(signIn, actor, { identifier: user.email, password: currentPassword })
      // Asked again: hashing takes a while, in which another may have taken its place, such as its owner by mail.
      const guard = async (tx: TransactionClient) => {
        await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${user.id}::uuid FOR UPDATE`
        if (!(await isCurrent(tx, methodId))) throw wrongPassword()
      }
      await signIn.setPassword(actor, { id: user.id, password: newPassword, guard, exceptSid: actor.sessionId })
    },
  }
}

// The budgets of signing in hold here too: a stolen session must not guess the password.
const proveAgain = async (signIn: SignIn, actor: Actor, attempt: { identifier: string; password: string }) => {
  try {
    return await signIn.prove(actor, { ...attempt, isAgain: true })
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'invalid_credentials')) throw error
    throw wrongPassword(error)
  }
}

const wrongPassword = (cause?: unknown) =>
  new Problem('validation_failed', { cause, fields: [{ path: 'current_password', message: 'This is not your password.', code: 'wrong_password' }] })
