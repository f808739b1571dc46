// Proves the address of an account that exists: by a code in a session of it, or by the link of the mail.
import type { Challenges } from '../challenges/challenges.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AcceptProof } from './accept-proof.ts'
import { hasPassword } from './password-row.ts'
import { ownBinding } from './proof-mails.ts'

/** Verifies addresses of accounts. Each throws `proof_expired` for what is dead. */
export interface EmailVerification {
  /** In a session of the user. Throws `code_wrong` while there are tries left. */
  verifyCode(actor: Actor, answer: { userId: string; code: string }): Promise<void>
  /** Whose address a living link proves, and whether the account has a password that its maker chose; the link stays unused. */
  find(token: string): Promise<{ user: User; hasPassword: boolean } | undefined>
  /** By the link. Where who opened it did not also prove to have made the account, what was put into it is erased. */
  verifyLink(actor: Actor, answer: { token: string; isOwner: boolean }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly challenges: Challenges
  readonly users: Users
  readonly change: Change
  readonly acceptProof: AcceptProof
}

const purpose = 'email_verification'

/** Makes the service. */
export const createEmailVerification = ({ database, challenges, users, change, acceptProof }: Needs): EmailVerification => {
  const accept = async (tx: TransactionClient, record: RecordEvent, { userId = '', email, isOwner }: { userId?: string; email: string; isOwner: boolean }) => {
    const { isFirst } = await acceptProof(tx, record, { userId, email, isOwner })
    await challenges.voidAll(tx, { userId, purposes: [purpose] })
    // It was verified by other means since it was asked for.
    if (!isFirst) record('email.verified', { id: userId, is_first: false })
  }
  return {
    verifyCode: async (actor, { userId, code }) => {
      const newest = await challenges.findNewest({ userId, purpose })
      if (!newest) throw new Problem('proof_expired')
      const answer = await challenges.redeemCode({ purpose, id: newest.id, code, binding: ownBinding(userId) })
      if (answer.outcome !== 'redeemed') throw new Problem(answer.outcome === 'wrong' ? 'code_wrong' : 'proof_expired')
      await change(actor, (tx, record) => accept(tx, record, { ...answer.challenge, isOwner: true }))
      users.forget(userId)
    },
    find: async token => {
      const challenge = await challenges.find(purpose, token)
      const user = challenge?.userId === undefined ? undefined : await users.find(challenge.userId)
      if (!user || user.isSuspended) return undefined
      return { user, hasPassword: await hasPassword(database.prisma, user.id) }
    },
    verifyLink: async (actor, { token, isOwner }) => {
      const userId = (await challenges.find(purpose, token))?.userId
      if (userId === undefined) throw new Problem('proof_expired')
      await change({ ...actor, kind: 'user', id: userId }, async (tx, record) => {
        const challenge = await challenges.redeemLink(tx, { purpose, token, binding: ownBinding(userId) })
        if (!challenge) throw new Problem('proof_expired')
        await accept(tx, record, { ...challenge, isOwner })
      })
      users.forget(userId)
    },
  }
}
