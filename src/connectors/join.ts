// The role that an organization's people get when they first come by its connection.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { isObject } from '../platform/values.ts'
import type { Connection, MembershipRule } from './connection.ts'
import type { UpstreamIdentity } from './connector.ts'
import { refused } from './refusal.ts'

/** Makes a person a member who is none, in a change's own transaction; a role that is gone is `member`. The organization is locked before anybody's row. */
export type JoinOrganization = (
  tx: TransactionClient,
  record: RecordEvent,
  member: { readonly organizationId: string; readonly userId: string; readonly role: string },
) => Promise<void>

/** Joins by a connection; nothing where it is the system's. Throws `upstream_unlinked` where the provider leaves out what decides the role. */
export const joinBy = async (
  { join, tx, record }: { readonly join: JoinOrganization; readonly tx: TransactionClient; readonly record: RecordEvent },
  { connection, identity, userId }: { readonly connection: Connection; readonly identity: Pick<UpstreamIdentity, 'claims' | 'told'>; readonly userId: string },
): Promise<void> => {
  const { organizationId, membership } = connection
  if (organizationId === undefined) return
  const role = roleOf(membership, identity.told ?? identity.claims)
  if (role === undefined) throw refused('role_untold', userId)
  await join(tx, record, { organizationId, userId, role })
}

/**
 * The role of the first rule that one of the claim's values meets, else the default. A number is read as it is written. `undefined` where the
 * provider says that the claim is elsewhere: whoever is in too many groups is not for that a member like any other.
 */
export const roleOf = ({ default: otherwise, claim, roles }: MembershipRule, claims: Readonly<Record<string, unknown>>): string | undefined => {
  if (claim === undefined) return otherwise
  const told: unknown = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if ((told === undefined || isEmptyList(told)) && isElsewhere(claims, claim)) return undefined
  const all: readonly unknown[] = Array.isArray(told) ? told : [told]
  const values = new Set(all.filter(value => typeof value === 'string' || typeof value === 'number').map(String))
  return roles.find(({ value }) => values.has(value))?.role ?? otherwise
}

const isEmptyList = (told: unknown): boolean => Array.isArray(told) && told.length === 0

// OpenID Connect Core §5.6.2; Entra does so beyond 200 groups, and in assertions beyond 150 by an attribute of its own.
const isElsewhere = (claims: Readonly<Record<string, unknown>>, claim: string): boolean => {
  const { _claim_names: names } = claims
  return (isObject(names) && Object.hasOwn(names, claim)) || (claim.endsWith('groups') && entraLink in claims)
}

const entraLink = 'http://schemas.microsoft.com/claims/groups.link'
