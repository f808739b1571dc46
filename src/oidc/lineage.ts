// What a grant that a token exchange made descends from, and the condition under which all of it still lives.

import { isForMember, isLivingClient } from '../clients/living.ts'
import { isGrantIn } from './session-grants.ts'

/** One ancestor. Keys are those of `oidc_artifacts`, in hexadecimal digits. */
export interface Link {
  readonly client: string
  /** The person whose access it is; absent: the client's own. */
  readonly account?: string
  /** The grant it was issued under, which must live. */
  readonly grant?: string
  /** The stored token, which must be there. */
  readonly token?: string
  /** Where a token that is not stored leaves its tombstone, which must not be there. */
  readonly tombstone?: string
  /** The session that it ends with, and the grant that the client has in it. */
  readonly session?: string
  readonly sessionGrant?: string
  /** The organization that the person must belong to. */
  readonly organization?: string
}

/** The nearest ancestor first. */
export type Lineage = readonly Link[]

/** How many ancestors there may be, actors included. */
export const maxAncestors = 8

/** The condition that an artifact is not expired or ended; `alias` is its row. */
export const isLiving = <Alias extends string>(alias: Alias) =>
  `(${alias}.expires_at IS NULL OR ${alias}.expires_at > now() - interval '15 seconds') AND ${alias}.revoked_at IS NULL` as const

/**
 * The condition that neither the client of a grant nor the organization that it is for ended since it was given (src/platform/access-end.ts);
 * true of what is no grant. It costs no round trip of its own.
 */
export const isSinceEnds = <Alias extends string>(alias: Alias) =>
  `(${alias}.client_id IS NULL OR NOT EXISTS (SELECT 1 FROM clients e WHERE e.client_id = ${alias}.client_id AND e.access_ended_at >= ${alias}.created_at))
   AND (${alias}.organization_id IS NULL OR NOT EXISTS (
     SELECT 1 FROM organizations e WHERE e.id = ${alias}.organization_id::uuid AND e.access_ended_at >= ${alias}.created_at))` as const

/** The condition that a session lives in which the client has this grant, the latest or another organization's. */
export const isInSession = ({ uid, account, client, grant }: Readonly<Record<'uid' | 'account' | 'client' | 'grant', string>>) =>
  `EXISTS (SELECT 1 FROM oidc_artifacts s WHERE s.uid = ${uid} AND s.kind = 'Session' AND s.account_id = ${account} AND ${isLiving('s')}
     AND ${isGrantIn({ authorizations: "coalesce(s.payload::jsonb -> 'authorizations', '{}')", client, grant })})`

/** The condition that all that a grant descends from lives, and did not end since; true of one that descends from nothing. It costs no round trip of its own. */
export const isUnbroken = (alias: string) => `(${alias}.lineage IS NULL OR NOT EXISTS (
  SELECT 1 FROM jsonb_to_recordset(${alias}.lineage) AS link(
    client text, account text, "grant" text, token text, tombstone text, session text, "sessionGrant" text, organization text)
  WHERE NOT EXISTS (SELECT 1 FROM clients c WHERE c.client_id = link.client AND ${isLivingClient('c')} AND (c.access_ended_at IS NULL OR c.access_ended_at < ${alias}.created_at)
      AND (link.account IS NULL OR ${isForMember('c', 'link.account::uuid')}))
    OR (link.account IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM users u WHERE u.id = link.account::uuid AND u.suspended_at IS NULL AND u.deleted_at IS NULL))
    OR (link."grant" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM oidc_artifacts g WHERE g.key = decode(link."grant", 'hex') AND ${isLiving('g')}))
    OR (link.token IS NOT NULL AND NOT EXISTS (SELECT 1 FROM oidc_artifacts t WHERE t.key = decode(link.token, 'hex') AND ${isLiving('t')}))
    OR (link.tombstone IS NOT NULL AND EXISTS (SELECT 1 FROM oidc_artifacts r WHERE r.key = decode(link.tombstone, 'hex')))
    OR (link.session IS NOT NULL AND NOT ${isInSession({ uid: 'link.session', account: 'link.account', client: 'link.client', grant: 'link."sessionGrant"' })})
    OR (link.organization IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM organization_members m JOIN organizations o ON o.id = m.organization_id
      WHERE m.user_id = link.account::uuid AND m.organization_id = link.organization::uuid AND o.deleted_at IS NULL
        AND (o.access_ended_at IS NULL OR o.access_ended_at < ${alias}.created_at)))
))`
