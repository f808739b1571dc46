// Takes identities away as part of another change: whoever is no member any more, or was deleted, is known by them no longer.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { EndSessionsOfIdentities } from '../sessions/endings.ts'
import { recordIdentity } from './identity-told.ts'

/** A change that takes identities away. */
export interface Unlinking {
  readonly tx: TransactionClient
  readonly record: RecordEvent
  readonly endSessions: EndSessionsOfIdentities
}

interface Gone {
  readonly id: string
  readonly connectionId: string
  readonly connector: string
  readonly organizationId: string | null
  readonly userId: string
}

/** Takes away what the connections of an organization know of a user, and ends the sessions that it began. */
export const eraseMemberIdentities = async (
  { tx, record, endSessions, lockAuthority }: Unlinking & { readonly lockAuthority: (tx: TransactionClient, userId: string) => Promise<void> },
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
): Promise<void> => {
  if ((await tx.identity.count({ where: { userId, connection: { organizationId } } })) === 0) return
  await lockAuthority(tx, userId)
  const gone = await tx.$queryRaw<Gone[]>`
    DELETE FROM identities i USING connections c
    WHERE c.id = i.connection_id AND c.organization_id = ${organizationId}::uuid AND i.user_id = ${userId}::uuid
    RETURNING i.id, i.connection_id AS "connectionId", c.connector, c.organization_id AS "organizationId", i.user_id AS "userId"`
  await endSessions(tx, { userIds: [userId], identityIds: gone.map(({ id }) => id) })
  tell(record, gone)
}

/** Frees what a deleted user was known by: their restoring links them anew. */
export const freeSubject = async (
  tx: TransactionClient,
  record: RecordEvent,
  { connectionId, subject }: { readonly connectionId: string; readonly subject: string },
): Promise<void> => {
  const gone = await tx.$queryRaw<Gone[]>`
    DELETE FROM identities i USING connections c, users u
    WHERE c.id = i.connection_id AND u.id = i.user_id AND u.deleted_at IS NOT NULL AND i.connection_id = ${connectionId}::uuid AND i.subject = ${subject}
    RETURNING i.id, i.connection_id AS "connectionId", c.connector, c.organization_id AS "organizationId", i.user_id AS "userId"`
  tell(record, gone)
}

const tell = (record: RecordEvent, gone: readonly Gone[]): void => {
  for (const row of gone) recordIdentity(record, 'identity.unlinked', { row, connection: { ...row, id: row.connectionId } })
}
