// What happens to people's accounts where their domain becomes another organization's: whom the former one's provider named is asked anew.
import type { RecordEvent } from '../platform/data/change.ts'
import type { UnproveEmails } from '../users/unprove-emails.ts'
import type { Unlinking } from './identity-erasures.ts'

interface Linked {
  readonly id: string
  readonly userId: string
  readonly isMaker: boolean
  readonly connectionId: string
  readonly connector: string
  readonly organizationId: string
}

interface Owned {
  /** In its normal form. */
  readonly domain: string
  /** Whose it is from now on. */
  readonly organizationId: string
}

/**
 * Unlinks what other organizations' connections know of people of the domain, with the sessions that it began, in the transaction that gives it to its
 * new owner. Of an account that one of them made nobody else proved the address: whoever proves it next does so for the first time.
 */
export const unlinkOfDomain = async (
  { tx, record, endSessions, unproveEmails }: Unlinking & { readonly unproveEmails: UnproveEmails },
  { domain, organizationId }: Owned,
): Promise<void> => {
  // People first, as whoever signs in locks them.
  const linked = await tx.$queryRaw<Linked[]>`
    SELECT i.id, i.user_id AS "userId", i.made_user AS "isMaker", c.id AS "connectionId", c.connector, c.organization_id AS "organizationId"
    FROM identities i JOIN connections c ON c.id = i.connection_id JOIN users u ON u.id = i.user_id
    WHERE c.organization_id <> ${organizationId}::uuid AND split_part(u.email_normalized, '@', 2) = ${domain} ORDER BY u.id FOR UPDATE OF u`
  if (linked.length === 0) return
  const identityIds = linked.map(({ id }) => id)
  await tx.identity.deleteMany({ where: { id: { in: identityIds } } })
  await endSessions(tx, { userIds: linked.map(({ userId }) => userId), identityIds })
  await unproveEmails(
    tx,
    record,
    linked.filter(({ isMaker }) => isMaker).map(({ userId }) => userId),
  )
  tell(record, linked)
}

const tell = (record: RecordEvent, linked: readonly Linked[]): void => {
  for (const [id, of] of Map.groupBy(linked, ({ connectionId }) => connectionId)) {
    const [{ connector, organizationId } = { connector: '', organizationId: '' }] = of
    record('connection.identities_unlinked', { id, connector, count: of.length }, { organizationId })
  }
}
