// Ends what a user is signed in with, wherever it is kept: the user's row first, as everybody who keeps something locks it first.
import type { EndAccess } from './user.ts'

/** Makes the one ending of the endings of all who keep something; each runs in the change's transaction, in order. */
export const createEndAccess =
  ({ now, endings }: { now: () => Date; endings: readonly EndAccess[] }): EndAccess =>
  async (tx, userId, options) => {
    // Who waits for the row is told a time after that of everybody who had it before.
    await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR UPDATE`
    await tx.user.updateMany({ where: { id: userId }, data: { accessEndedAt: now() } })
    for (const end of endings) await end(tx, userId, options)
  }
