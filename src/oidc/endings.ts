// Ends what the protocol keeps of a person: tombstones for sessions and grants, under which nothing lives or comes back. The clients of an
// ended session are told by jobs of the same change; of any number of changes that end it, one does.
import { areMembersAlone } from '../clients/living.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import type { GoneIdentities } from '../sessions/endings.ts'
import { askForLogouts, type Told, toldOf } from './logout-jobs.ts'

/** The ways in which sessions end, each for the transaction of the change that ends them. */
export interface Endings {
  /** Ends the sessions and grants of a user, but for one session and what was granted in it. Access and refresh tokens die with their grant. */
  ofUser(tx: TransactionClient, userId: string, options?: { readonly exceptSid?: string }): Promise<void>
  /** Ends one session of the hosted pages. What was granted for offline access lives on. */
  ofSession(tx: TransactionClient, sid: string): Promise<void>
  /** Ends the sessions that accounts at other providers began, but for one. */
  ofIdentities(tx: TransactionClient, gone: GoneIdentities): Promise<void>
  /** Ends the session that is kept under a key, whoever is signed in with it or nobody. */
  ofKey(tx: TransactionClient, key: Buffer): Promise<void>
  /** Ends what clients have of sessions that go on: of one session, or of all sessions of a user. */
  ofClients(tx: TransactionClient, of: { readonly sid: string } | { readonly userId: string }, clientIds: readonly string[]): Promise<void>
  /** Ends what a user granted for an organization that they leave, and all that the clients have of them that its members alone may use. */
  ofMember(tx: TransactionClient, member: Membership): Promise<void>
  /** Ends up to `limit` sessions that expired; answers how many. Safe in any number of processes at once. */
  ofExpired(tx: TransactionClient, limit: number): Promise<number>
}

interface Membership {
  readonly organizationId: string
  readonly userId: string
}

// In one order everywhere, so that two endings never wait for each other's rows.
const ending = (held: string) => `
  held AS (SELECT key, kind, account_id, payload FROM oidc_artifacts o WHERE kind IN ('Session', 'Grant') AND revoked_at IS NULL AND ${held}),
  ended AS (
    UPDATE oidc_artifacts a SET revoked_at = now(), payload = '{}' FROM held WHERE a.key = held.key AND a.revoked_at IS NULL
    RETURNING held.account_id, CASE WHEN held.kind = 'Session' THEN held.payload::jsonb -> 'authorizations' END AS authorizations
  )`

const told = toldOf('SELECT account_id, authorizations FROM ended')

// A grant of the session that lives on is kept while the session has it.
const ofUser = `
  WITH kept AS (
    SELECT entry.value ->> 'grantId' AS grant_id FROM oidc_artifacts s, jsonb_each(coalesce(s.payload::jsonb -> 'authorizations', '{}')) entry
    WHERE s.uid = $2 AND s.kind = 'Session' AND s.revoked_at IS NULL AND entry.value ->> 'grantId' IS NOT NULL
  ), ${ending(`account_id = $1 AND (kind = 'Grant' OR uid IS DISTINCT FROM $2) AND (grant_id IS NULL OR grant_id NOT IN (SELECT grant_id FROM kept)) ORDER BY key FOR UPDATE`)} ${told}`

const ofSession = `WITH ${ending(`kind = 'Session' AND uid = $1 ORDER BY key FOR UPDATE`)} ${told}`

const ofIdentities = `WITH ${ending(`kind = 'Session' AND account_id = ANY ($1::text[]) AND uid IN (SELECT sid FROM sessions WHERE user_id::text = ANY ($1::text[]) AND identity_id::text = ANY ($2::text[])) AND uid IS DISTINCT FROM $3 ORDER BY key FOR UPDATE`)} ${told}`

const ofKey = `WITH ${ending(`kind = 'Session' AND (key = $1 OR uid = (SELECT uid FROM oidc_artifacts WHERE key = $1)) ORDER BY key FOR UPDATE`)} ${told}`

const ofClients = (column: 'uid' | 'account_id') => `
  WITH held AS (
    SELECT key, account_id, payload::jsonb -> 'authorizations' AS authorizations FROM oidc_artifacts
    WHERE kind = 'Session' AND revoked_at IS NULL AND ${column} = $1 AND payload::jsonb -> 'authorizations' ?| $2::text[] ORDER BY key FOR UPDATE
  ), struck AS (
    UPDATE oidc_artifacts a SET payload = jsonb_set(a.payload::jsonb, '{authorizations}', (a.payload::jsonb -> 'authorizations') - $2::text[])::json
    FROM held WHERE a.key = held.key AND a.revoked_at IS NULL RETURNING held.account_id, held.authorizations
  ) ${toldOf('SELECT account_id, authorizations FROM struck')} AND entry.key = ANY ($2::text[])`

// A minute after the expiry nobody's clock takes it for living. A session is kept in several rows where parallel requests left them: it lives
// as long as one does.
const isOver = "expires_at < now() - interval '1 minute'"
const ofExpired = `
  WITH ${ending(`kind = 'Session' AND account_id IS NOT NULL AND ${isOver} AND NOT EXISTS (
    SELECT 1 FROM oidc_artifacts other WHERE other.uid = o.uid AND other.kind = 'Session' AND other.revoked_at IS NULL AND NOT other.${isOver}
  ) ORDER BY key LIMIT $1 FOR UPDATE SKIP LOCKED`)}, told AS (${told})
  SELECT count(*)::int AS ended, (SELECT coalesce(json_agg(told), '[]') FROM told) AS told FROM ended`

// The clients of an organization that end for whoever leaves it.
const membersClients = `SELECT c.client_id FROM clients c WHERE c.organization_id = $1::uuid AND (${areMembersAlone('c')})`

const grantsOfMember = `
  WITH held AS (
    SELECT key FROM oidc_artifacts
    WHERE account_id = $2 AND kind = 'Grant' AND revoked_at IS NULL AND (organization_id = $1 OR client_id IN (${membersClients})) ORDER BY key FOR UPDATE
  ) UPDATE oidc_artifacts a SET revoked_at = now(), payload = '{}' FROM held WHERE a.key = held.key AND a.revoked_at IS NULL`

/** Makes them. */
export const createEndings = ({ queue }: { queue: Queue }): Endings => {
  const end = async (tx: TransactionClient, sql: string, values: readonly unknown[]) =>
    askForLogouts(queue, tx, await tx.$queryRawUnsafe<Told[]>(sql, ...values))

  const ofAllSessions = (tx: TransactionClient, userId: string, clientIds: readonly string[]) => end(tx, ofClients('account_id'), [userId, clientIds])

  return {
    ofUser: (tx, userId, { exceptSid = '' } = {}) => end(tx, ofUser, [userId, exceptSid]),
    ofSession: (tx, sid) => end(tx, ofSession, [sid]),
    ofIdentities: (tx, { userIds, identityIds, exceptSid = '' }) => end(tx, ofIdentities, [userIds, identityIds, exceptSid]),
    ofKey: (tx, key) => end(tx, ofKey, [key]),
    ofClients: (tx, of, clientIds) => ('sid' in of ? end(tx, ofClients('uid'), [of.sid, clientIds]) : ofAllSessions(tx, of.userId, clientIds)),
    ofMember: async (tx, member) => {
      // Before the artifacts, as whoever ends the person's access locks it.
      await tx.$queryRaw`SELECT id FROM users WHERE id = ${member.userId}::uuid FOR KEY SHARE`
      await tx.$executeRawUnsafe(grantsOfMember, member.organizationId, member.userId)
      const clients = (await tx.$queryRawUnsafe<{ client_id: string }[]>(membersClients, member.organizationId)).map(({ client_id: id }) => id)
      if (clients.length > 0) await ofAllSessions(tx, member.userId, clients)
    },
    ofExpired: async (tx, limit) => {
      const [swept] = await tx.$queryRawUnsafe<{ ended: number; told: Told[] }[]>(ofExpired, limit)
      await askForLogouts(queue, tx, swept?.told ?? [])
      return swept?.ended ?? 0
    },
  }
}
