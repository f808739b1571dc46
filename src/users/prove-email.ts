// Notes that a person's address was proven to be theirs, in the transaction of what the proof is good for.
import type { TransactionClient } from '../platform/data/database.ts'
import type { ProveEmail } from './user.ts'

/** Makes it. The row is locked by the reading, so of two proofs at once one is the first. */
export const createProveEmail =
  ({ now }: { now: () => Date }): ProveEmail =>
  async (tx, { userId, email }) => {
    const [found] = await lock(tx, { userId, email })
    if (!found) return undefined
    if (found.email_verified_at === null) await tx.user.update({ where: { id: userId }, data: { emailVerifiedAt: now() } })
    return { isFirst: found.email_verified_at === null }
  }

const lock = (tx: TransactionClient, { userId, email }: { userId: string; email: string }) => tx.$queryRaw<{ email_verified_at: Date | null }[]>`
  SELECT email_verified_at FROM users
  WHERE id = ${userId}::uuid AND email_normalized = ${email} AND deleted_at IS NULL AND suspended_at IS NULL FOR NO KEY UPDATE`
