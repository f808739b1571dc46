// The role that an organization's people get when they first come by its connection.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { Connection, MembershipRule } from './connection.ts'

/** Makes a person a member who is none, in a change's own transaction; a role that is gone is `member`. The organization is locked before anybody's row. */
export type JoinOrganization = (
  tx: TransactionClient,
  record: RecordEvent,
  member: { readonly organizationId: string; readonly userId: string; readonly role: string },
) => Promise<void>

/** Joins by a connection; nothing where it is the system's. */
export const joinBy = async (
  { join, tx, record }: { readonly join: JoinOrganization; readonly tx: TransactionClient; readonly record: RecordEvent },
  { connection, claims, userId }: { readonly connection: Connection; readonly claims: Readonly<Record<string, unknown>>; readonly userId: string },
): Promise<void> => {
  const { organizationId, membership } = connection
  if (organizationId !== undefined) await join(tx, record, { organizationId, userId, role: roleOf(membership, claims) })
}

/** The role of the first rule that one of the claim's values meets, else the default. A number is read as it is written. */
export const roleOf = ({ default: otherwise, claim, roles }: MembershipRule, claims: Readonly<Record<string, unknown>>): string => {
  const told: unknown = claim !== undefined && Object.hasOwn(claims, claim) ? claims[claim] : undefined
  const all: readonly unknown[] = Array.isArray(told) ? told : [told]
  const values = new Set(all.filter(value => typeof value === 'string' || typeof value === 'number').map(String))
  return roles.find(({ value }) => values.has(value))?.role ?? otherwise
}
