// Passwords that an administrator gives to others: as strong as those that people choose.
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { MustAdminister } from '../users/admins.ts'
import type { NewUser, User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { Passwords } from './password.ts'
import { keepPassword } from './password-row.ts'
import type { SignIn } from './sign-in.ts'
import type { VerifyStrength } from './strength.ts'

/** Gives passwords to people. Each throws `validation_failed` for a weak one. */
export interface AssignedPasswords {
  /** Makes a user, with the password in the same commit where one is given. Throws `email_taken`. */
  createUser(actor: Actor, user: NewUser & { readonly password?: string }): Promise<User>
  /** Replaces the password and ends everything the user is signed in with, and the agents that they made. Throws `forbidden` for an administrator where the caller is none. */
  assign(actor: Actor, given: { readonly user: User; readonly password: string }): Promise<void>
}

interface Needs {
  readonly users: Users
  readonly passwords: Passwords
  readonly signIn: SignIn
  readonly verifyStrength: VerifyStrength
  readonly mustAdminister: MustAdminister
  /** A living user, whom nobody else changes until this change ends. */
  readonly lockUser: (tx: TransactionClient, id: UserId) => Promise<User>
}

/** Makes the service. */
export const createAssignedPasswords = ({ users, passwords, signIn, verifyStrength, mustAdminister, lockUser }: Needs): AssignedPasswords => ({
  createUser: async (actor, { password, ...user }) => {
    mustAdminister(actor, user)
    if (password === undefined) return users.create(actor, user)
    verifyStrength(password, { path: 'password', personal: user })
    const secret = await passwords.hash(password)
    return users.create(actor, user, (tx, userId) => keepPassword(tx, { userId, secret }))
  },
  assign: async (actor, { user, password }) => {
    mustAdminister(actor, user)
    verifyStrength(password, { path: 'password', personal: user })
    // Asked again: hashing takes a while, in which the user may have become an administrator.
    const guard = async (tx: TransactionClient) => mustAdminister(actor, await lockUser(tx, user.id))
    await signIn.setPassword(actor, { id: user.id, password, guard, isFirstTold: true, isRecovery: true })
  },
})
