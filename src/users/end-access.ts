// Ends what a user is signed in with, wherever it is kept: the user's row first, as everybody who keeps something locks it first.
import { holdAuthority } from '../platform/context.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { EndAccess } from './user.ts'

/** Makes the one ending of the endings of all who keep something; each runs in the change's transaction, in order. */
export const createEndAccess =
  ({ now, endings }: { now: () => Date; endings: readonly EndAccess[] }): EndAccess =>
  async (tx, userId, options) => {
    // Who waits for the row is told a time after that of everybody who had it before.
    await lockAuthority(tx, userId)
    await tx.user.updateMany({ where: { id: userId }, data: { accessEndedAt: now() } })
    for (const end of endings) await end(tx, userId, options)
  }

/** Waits for what the user is changing, and locks the row by which their changes hold their authority; to be called before any of it is taken away. */
export const lockAuthority = async (tx: TransactionClient, userId: string): Promise<void> => {
  await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR UPDATE`
  await holdAuthority(tx)
}
