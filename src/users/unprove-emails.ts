// Takes back that addresses were proven, where whoever vouched for them may no longer.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'

/** Takes it back of living users, each with an event. Their next proof is the first one, and erases what was put in before. */
export type UnproveEmails = (tx: TransactionClient, record: RecordEvent, userIds: readonly string[]) => Promise<void>

/** Does it. Administrators of the system are made by administrators alone, and keep theirs. */
export const unproveEmails: UnproveEmails = async (tx, record, userIds) => {
  const where = { id: { in: [...userIds] }, deletedAt: null, emailVerifiedAt: { not: null }, systemRole: null }
  const users = await tx.user.updateManyAndReturn({ where, data: { emailVerifiedAt: null } })
  for (const user of users) record('user.updated', { ...user, changed: ['email_verified'] })
}
