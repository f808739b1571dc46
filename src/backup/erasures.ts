// Who and what was deleted since a backup: read out of the database that it replaces, and deleted again in the one that it fills.
import type { EndedAgent, EndHeldAgents } from '../clients/agent.ts'
import { rawTransaction } from '../platform/data/raw-transaction.ts'
import { restorableDays } from '../platform/data/restorable.ts'
import { type Connection, readTables } from '../platform/data/tables.ts'

/** One that was deleted, or purged since. */
export interface Erasure {
  readonly kind: 'user' | 'organization'
  readonly id: string
  readonly deletedAt: Date
}

/** One that was deleted again: what its event tells. */
export interface Erased extends Erasure {
  /** As the event of its deletion has it. */
  readonly shown: Readonly<Record<string, unknown>>
}

interface Row {
  readonly kind: Erasure['kind']
  readonly id: string
  readonly deleted_at: Date
}

// Those that are still there say so themselves; those that were purged are told of by the audit log alone. They are as due to be purged as they
// were. What began before the backup's moment may have been committed after it: a day more costs nothing, for who was deleted stays so.
const deleted = `
  SELECT 'user' AS kind, id::text AS id, deleted_at FROM users WHERE deleted_at IS NOT NULL
  UNION ALL SELECT 'organization', id::text, deleted_at FROM organizations WHERE deleted_at IS NOT NULL
  UNION ALL SELECT target_kind, target_id, max(occurred_at) - make_interval(days => $2) FROM audit_events
    WHERE action IN ('user.purged', 'organization.purged') AND occurred_at > $1::timestamptz - interval '1 day' GROUP BY target_kind, target_id`

/** Reads them; none where the database holds nothing. */
export async function readErasures(client: Connection, since: string): Promise<readonly Erasure[]> {
  const tables = new Set((await readTables(client)).map(({ name }) => name))
  if (!['users', 'organizations', 'audit_events'].every(name => tables.has(name))) return []
  const { rows } = await client.query<Row>(deleted, [since, restorableDays])
  return rows.map(({ kind, id, deleted_at: deletedAt }) => ({ kind, id, deletedAt }))
}

const given = 'unnest($1::uuid[], $2::timestamptz[]) AS given(id, at)'
const eraseUsers = `UPDATE users u SET deleted_at = given.at, access_ended_at = now() FROM ${given}
  WHERE u.id = given.id AND u.deleted_at IS NULL RETURNING u.id::text AS id, u.deleted_at, json_build_object('email', u.email, 'name', u.name) AS shown`
const eraseOrganizations = `UPDATE organizations o SET deleted_at = given.at FROM ${given}
  WHERE o.id = given.id AND o.deleted_at IS NULL RETURNING o.id::text AS id, o.deleted_at, json_build_object('slug', o.slug, 'name', o.name) AS shown`

const agentsOf = 'SELECT id FROM clients WHERE is_agent AND deleted_at IS NULL AND (owner_user_id = ANY($1::uuid[]) OR organization_id = ANY($1::uuid[]))'

// What else a deletion ends: sign-ins, also where they are kept; an organization's clients are disabled at the moment of its deletion.
const endings = [
  'UPDATE sessions SET ended_at = now() WHERE user_id = ANY($1::uuid[]) AND ended_at IS NULL',
  'DELETE FROM oidc_artifacts WHERE account_id = ANY($1::uuid[]::text[]) AND revoked_at IS NULL',
  `UPDATE clients c SET disabled_at = o.deleted_at, version = version + 1 FROM organizations o
     WHERE o.id = c.organization_id AND o.id = ANY($1::uuid[]) AND c.disabled_at IS NULL`,
]

interface Again {
  readonly erasures: readonly Erasure[]
  readonly endAgents: EndHeldAgents
}

/** What was deleted again, and whose access ended with it. */
export interface ErasedAgain {
  readonly erased: readonly Erased[]
  readonly agents: readonly EndedAgent[]
}

/** Deletes again whoever lives, with what they are signed in with and what their agents hold. */
export async function eraseAgain(client: Connection, { erasures, endAgents }: Again): Promise<ErasedAgain> {
  const erased: Erased[] = []
  for (const [kind, text] of [
    ['user', eraseUsers],
    ['organization', eraseOrganizations],
  ] as const) {
    const of = [...new Map(erasures.filter(one => one.kind === kind).map(one => [one.id, one])).values()]
    const { rows } = await client.query<Row & { shown: Record<string, unknown> }>(text, [
      of.map(({ id }) => id),
      of.map(({ deletedAt }) => deletedAt.toISOString()),
    ])
    erased.push(...rows.map(({ id, deleted_at: deletedAt, shown }) => ({ kind, id, deletedAt, shown })))
  }
  const ids = erased.map(({ id }) => id)
  const { rows } = await client.query<{ id: string }>(agentsOf, [ids])
  const agents = await endAgents(
    rawTransaction(client),
    rows.map(({ id }) => id),
  )
  for (const text of endings) await client.query(text, [ids])
  return { erased, agents }
}
