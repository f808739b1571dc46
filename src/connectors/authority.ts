// What happens where a connection comes to mean another provider: nobody stays whom the one of before said they are.
import type { Connector } from './connector.ts'
import type { Unlinking } from './identity-erasures.ts'

/** Settings of a connection, before a change of it and after. */
interface Moved {
  readonly before: unknown
  readonly after: unknown
}

/** Whether the settings lead to another authority: secrets were not given for it, and subjects are not its own. */
export const isAnotherAuthority = (connector: Connector, { before, after }: Moved): boolean => {
  const known = connector.settings.safeParse(before)
  return !known.success || connector.authorityOf(known.data) !== connector.authorityOf(connector.settings.parse(after))
}

/** Unlinks everybody whom the authority of before named, and ends their sessions by it, in the transaction that moves the connection. */
export const unlinkFormer = async (
  { tx, record, endSessions }: Unlinking,
  connector: Connector | undefined,
  { id, organizationId, ...moved }: Moved & { readonly id: string; readonly organizationId?: string | undefined },
): Promise<void> => {
  if (!connector || !isAnotherAuthority(connector, moved)) return
  // People first, as whoever signs in locks them.
  await tx.$executeRaw`SELECT 1 FROM users u JOIN identities i ON i.user_id = u.id WHERE i.connection_id = ${id}::uuid ORDER BY u.id FOR UPDATE OF u`
  const gone = await tx.$queryRaw<{ id: string; userId: string }[]>`DELETE FROM identities WHERE connection_id = ${id}::uuid RETURNING id, user_id AS "userId"`
  const count = gone.length
  await endSessions(tx, { userIds: gone.map(({ userId }) => userId), identityIds: gone.map(one => one.id) })
  if (count > 0) record('connection.identities_unlinked', { id, connector: connector.id, count }, { organizationId })
}
