// A new password for who forgot theirs, or never had one: by a link that is good once. Nobody is signed in by it, so a second factor is
// never passed by a reset; whatever was signed in before is ended, and the agents that the person made.
import type { Challenges } from '../challenges/challenges.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { noteAside } from '../platform/data/note-aside.ts'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from '../users/email.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AcceptProof } from './accept-proof.ts'
import type { KnownDevice } from './authentication.ts'
import { type GuessBudget, ownDeviceOf } from './guess-budget.ts'
import type { Passwords } from './password.ts'
import type { ReplacePassword } from './replace-password.ts'
import type { VerifyStrength } from './strength.ts'

/** Gives people a new password. */
export interface Recovery {
  /** Whose password a living link is for; the link stays unused. */
  find(token: string): Promise<User | undefined>
  /** Throws `proof_expired` for a link that is dead, `validation_failed` at `password` for a weak one, which leaves the link unused. */
  reset(actor: Actor, answer: { token: string; password: string; device?: KnownDevice }): Promise<User>
}

interface Needs {
  readonly verifyStrength: VerifyStrength
  readonly challenges: Challenges
  readonly users: Users
  readonly passwords: Passwords
  readonly change: Change
  readonly acceptProof: AcceptProof
  readonly replacePassword: ReplacePassword
  readonly budget: GuessBudget
}

const purpose = 'password_reset'

/** Makes the service. */
export const createRecovery = ({ verifyStrength, challenges, users, passwords, change, acceptProof, replacePassword, budget }: Needs): Recovery => {
  const find = async (token: string) => {
    const challenge = await challenges.find(purpose, token)
    const user = challenge?.userId === undefined ? undefined : await users.find(challenge.userId)
    return user?.isSuspended ? undefined : user
  }
  return {
    find,
    reset: async (actor, { token, password, device }) => {
      const user = await find(token)
      if (!user) throw new Problem('proof_expired')
      verifyStrength(password, { path: 'password', personal: user })
      const secret = await passwords.hash(password)
      await change({ ...actor, kind: 'user', id: user.id }, async (tx, record) => {
        const challenge = await challenges.redeemLink(tx, { purpose, token })
        if (challenge?.userId !== user.id) throw new Problem('proof_expired')
        const { email } = challenge
        await acceptProof(tx, record, { userId: user.id, email })
        await replacePassword(tx, record, { userId: user.id, secret, actor, isFirstTold: true, isRecovery: true })
        await challenges.voidAll(tx, { userId: user.id, email })
        record('password.reset', { id: user.id })
      })
      users.forget(user.id)
      // What was guessed at is gone, and whoever reads the mail shall come in by what they chose.
      const at = { account: normalizeEmail(user.email) ?? user.email, ip: actor.ip, ownDeviceId: ownDeviceOf(user.id, device) }
      await noteAside(() => budget.clear(at))
      return user
    },
  }
}
