// What is told of an identity that was linked or unlinked.
import type { MailRequest } from '../mails/mail.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { mailable } from '../platform/http/text.ts'

interface Row {
  readonly id: string
  readonly userId: string
}

/** The connection, as far as its events tell of it. */
export interface ToldConnection {
  readonly id: string
  readonly connector: string
  readonly organizationId?: string | null | undefined
}

interface ToldIdentity {
  readonly row: Row
  readonly connection: ToldConnection
  /** Who did it, where nobody was known before. */
  readonly byUserId?: string
}

/** Records that an identity was linked or unlinked, whoever did it: whose provider it is may read of it. */
export const recordIdentity = (
  record: RecordEvent,
  name: 'identity.linked' | 'identity.unlinked',
  { row: { id, userId }, connection: { id: connectionId, connector, organizationId }, byUserId }: ToldIdentity,
): void =>
  record(
    name,
    { id, connection_id: connectionId, connector, user_id: userId },
    { ...(organizationId ? { organizationId } : {}), ...(byUserId ? { byUserId } : {}) },
  )

interface Named {
  readonly name: string
  readonly connector: string
  readonly organizationId?: string | null | undefined
}

/** How a mail names a connection: an organization may call its own as it likes, so it is named too. */
export const notedOf = async (tx: TransactionClient, { name, connector, organizationId }: Named): Promise<NonNullable<MailRequest['values']>> => {
  const owner = organizationId ? await tx.organization.findUnique({ where: { id: organizationId }, select: { name: true } }) : null
  return { connection: mailable(name, connector), organization: organizationId ? mailable(owner?.name ?? '', organizationId) : 'none' }
}
