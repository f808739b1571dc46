// Holds a user while something is put into their account, and asks whether what somebody acts by still counts: whoever ends a person's access
// changes the user's row first, and so either waits for what is kept here and takes it away, or is seen here.
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { HasAccessSince, HoldForActor } from './user.ts'

/** A living user, of whom nobody else changes anything until the change ends. Throws `not_found`. */
export const holdUser = async (tx: TransactionClient, id: string): Promise<void> => {
  const found = await tx.$queryRaw<unknown[]>`SELECT 1 FROM users WHERE id = ${id}::uuid AND deleted_at IS NULL FOR NO KEY UPDATE`
  if (found.length === 0) throw new Problem('not_found')
}

/** The check, by the row itself. */
export const hasAccessSince: HasAccessSince = async (tx, { userId, since }) => {
  const [user] = await tx.$queryRaw<{ access_ended_at: Date | null }[]>`
    SELECT access_ended_at FROM users WHERE id = ${userId}::uuid AND deleted_at IS NULL AND suspended_at IS NULL FOR SHARE`
  return user !== undefined && (user.access_ended_at === null || user.access_ended_at < since)
}

/** The holding. */
export const holdForActor: HoldForActor = async (tx, actor, userId) => {
  await holdUser(tx, userId)
  if (actor.sessionId !== undefined && !(await isInSession(tx, actor, userId))) throw new Problem('unauthenticated')
  if (actor.provenAt !== undefined && !(await hasAccessSince(tx, { userId, since: actor.provenAt }))) throw new Problem('interaction_expired')
}

const isInSession = async (tx: TransactionClient, { sessionId: sid }: Actor, userId: string): Promise<boolean> =>
  (await tx.session.findFirst({ where: { sid, userId, endedAt: null }, select: { id: true } })) !== null
