// Artifacts in PostgreSQL by typed raw statements: Prisma's object mapping would cost five sixths of the token endpoint's speed.
import { createBatch } from '../platform/data/batch.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { accessGate } from './access-gate.ts'
import { type Artifact, type ArtifactStore, leadingKinds, type Payload, type StoredArtifact } from './artifact.ts'
import { createConsume } from './consume.ts'
import { grown } from './grown-grant.ts'
import { isLiving, isSinceEnds, isUnbroken } from './lineage.ts'

/** What only PostgreSQL can do: look up by other names than the id, and everything about grants and refresh tokens. */
export interface PostgresArtifacts extends ArtifactStore {
  /** Every living row of a session, oldest first: parallel sign-ins may leave several. */
  findSessions(uid: string): Promise<readonly Payload[]>
  findByUserCode(userCode: string): Promise<StoredArtifact | undefined>
  /** Replaces an artifact that still has its user code, and takes the code away; of any number of callers exactly one is answered true. */
  claimUserCode(artifact: Artifact): Promise<boolean>
  /** Deletes all artifacts of a kind that were issued under a grant. */
  deleteByGrant(kind: string, grantId: string): Promise<void>
  /** Inserts a grant or lets it grow. Answers false where the session it is given in has ended, or one of its id: that is not kept again. */
  putGrant(grant: Artifact, session: { readonly uid: string; readonly provenAt: number }): Promise<boolean>
  /** Leaves a tombstone: the grant is not found any more and cannot be put again, so nothing issued under it lives. */
  revokeGrant(grantId: string): Promise<void>
  /** Revokes a grant and deletes the tokens that were issued under it: what a replay does (RFC 9700 §4.14). */
  revokeFamily(grantId: string): Promise<void>
  /** The id of the newest living grant that a user gave a client for an organization, or for none; none that an exchange or a backchannel approval made. */
  findGrant(grant: { readonly accountId: string; readonly clientId: string; readonly organizationId?: string | undefined }): Promise<string | undefined>
  /** Deletes up to `limit` artifacts that expired; answers how many. */
  purge(limit: number): Promise<number>
}

interface FoundRow {
  i: string
  payload: Payload
  consumed: boolean
  leads?: boolean
  granted?: Payload | null
  sid?: string | null
  sessions?: Payload[] | null
}

const living = isLiving('a')
const findable = <Alias extends string>(alias: Alias) => `${isLiving(alias)} AND ${isSinceEnds(alias)} AND ${isUnbroken(alias)}`
/** As {@link hashOf} makes it. */
const grantKey = (id: string) => `sha256(convert_to('Grant', 'UTF8') || '\\x00' || convert_to(${id}, 'UTF8'))`
const mostSessions = 16
const sessionRows = (uid: string) => `SELECT a.payload, a.created_at FROM oidc_artifacts a WHERE a.uid = ${uid} AND a.kind = 'Session' AND ${living}`

const columns = 'key, kind, payload, grant_id, account_id, client_id, uid, user_code, organization_id, lineage, expires_at'
const fromArrays = `SELECT key, kind, payload::json, grant_id, account_id, client_id, uid, user_code, organization_id, lineage::jsonb, now() + make_interval(secs => ttl)
  FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[])
    AS given(key, kind, payload, grant_id, account_id, client_id, uid, user_code, organization_id, lineage, ttl)`

const statements = {
  put: statement(
    'artifact-put',
    `INSERT INTO oidc_artifacts AS a (${columns}) ${fromArrays}
     ON CONFLICT (key) DO UPDATE SET payload = CASE WHEN a.kind = 'Grant' THEN ${grown('a.payload', 'excluded.payload')} ELSE excluded.payload END, grant_id = excluded.grant_id, account_id = excluded.account_id, client_id = excluded.client_id,
       uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at WHERE a.revoked_at IS NULL`,
  ),
  putGrant: statement(
    'artifact-put-grant',
    `WITH ${accessGate({ accountId: '$12', uid: '$13', provenAt: '$14' })}
     INSERT INTO oidc_artifacts AS a (${columns}) ${fromArrays} WHERE (SELECT is_open FROM gate)
     ON CONFLICT (key) DO UPDATE SET payload = ${grown('a.payload', 'excluded.payload')}, expires_at = excluded.expires_at WHERE a.revoked_at IS NULL
     RETURNING ${isSinceEnds('a')} AS "isLiving"`,
  ),
  insert: statement('artifact-insert', `INSERT INTO oidc_artifacts (${columns}) ${fromArrays} ON CONFLICT (key) DO NOTHING RETURNING key`),
  // The columns say what leads where: no operator of JSON reads a payload in which a client had written what PostgreSQL's text cannot hold.
  // LATERAL with LIMIT: one look into the index a key, whatever the planner believed of the table's size when it planned.
  find: statement(
    'artifact-find',
    `SELECT given.i, found.payload, found.consumed, found.leads, granted.payload AS granted, granted.uid AS sid, bound.sessions
     FROM unnest($1::bytea[]) WITH ORDINALITY AS given(key, i)
     CROSS JOIN LATERAL (
       SELECT a.payload, a.consumed_at IS NOT NULL AS consumed, a.kind IN (${leadingKinds.map(kind => `'${kind}'`).join(', ')}) AS leads, a.grant_id FROM oidc_artifacts a
       WHERE a.key = given.key AND ${findable('a')} LIMIT 1
     ) found
     LEFT JOIN LATERAL (
       SELECT held.payload, held.uid FROM oidc_artifacts held WHERE found.leads AND held.key = ${grantKey('found.grant_id')} AND ${findable('held')} LIMIT 1
     ) granted ON true
     LEFT JOIN LATERAL (
       SELECT json_agg(s.payload ORDER BY s.created_at) AS sessions FROM (${sessionRows('granted.uid')} ORDER BY a.created_at DESC LIMIT ${mostSessions}) s
     ) bound ON true`,
  ),
  destroy: statement('artifact-destroy', 'DELETE FROM oidc_artifacts WHERE key = $1 RETURNING key'),
  sessions: statement(
    'artifact-sessions',
    `SELECT given.i, found.payload, false AS consumed FROM unnest($1::text[]) WITH ORDINALITY AS given(uid, i)
     CROSS JOIN LATERAL (${sessionRows('given.uid')} ORDER BY a.created_at DESC LIMIT ${mostSessions}) found ORDER BY given.i, found.created_at`,
  ),
  userCode: statement(
    'artifact-user-code',
    `SELECT '1' AS i, a.payload, a.consumed_at IS NOT NULL AS consumed FROM oidc_artifacts a WHERE a.user_code = $1 AND ${living}`,
  ),
  claimUserCode: statement(
    'artifact-claim-user-code',
    'UPDATE oidc_artifacts SET payload = $2::json, user_code = NULL WHERE key = $1 AND user_code IS NOT NULL AND consumed_at IS NULL AND revoked_at IS NULL RETURNING key',
  ),
  deleteByGrant: statement('artifact-delete-by-grant', 'DELETE FROM oidc_artifacts WHERE grant_id = $2 AND kind = $1'),
  revokeGrant: statement('artifact-revoke-grant', `UPDATE oidc_artifacts SET revoked_at = now(), payload = '{}' WHERE key = $1 AND revoked_at IS NULL`),
  grant: statement(
    'artifact-grant',
    `SELECT a.grant_id FROM oidc_artifacts a WHERE a.account_id = $1 AND a.client_id = $2 AND a.organization_id IS NOT DISTINCT FROM $3 AND a.kind = 'Grant'
       AND a.lineage IS NULL AND a.payload ->> 'isBackchannel' IS NULL AND ${living} ORDER BY a.created_at DESC LIMIT 1`,
  ),
  // SKIP LOCKED: several processes may purge at once. A session that expired is ended first, for its clients are told of it.
  purge: statement(
    'artifact-purge',
    `DELETE FROM oidc_artifacts WHERE key IN (SELECT key FROM oidc_artifacts WHERE expires_at < now() - interval '1 hour' AND NOT (kind = 'Session' AND account_id IS NOT NULL AND revoked_at IS NULL) LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING key`,
  ),
}

/** Makes the store. */
export const createPostgresArtifacts = (database: Database): PostgresArtifacts => {
  const put = createBatch<Artifact, void>({
    keyOf: nameOf,
    isChange: true,
    run: async artifacts => {
      // In one order everywhere, so that two statements never wait for each other's rows.
      await database.run(statements.put, toArrays([...artifacts].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))))
      return artifacts.map(() => undefined)
    },
  })

  const findByKey = createBatch<Buffer, StoredArtifact | undefined>({
    run: async keys => inOrder(keys.length, await database.run<FoundRow>(statements.find, [keys])).map(rows => rows.map(toStored)[0]),
  })

  const consume = createConsume(database)

  const findSessions = createBatch<string, readonly Payload[]>({
    run: async uids => inOrder(uids.length, await database.run<FoundRow>(statements.sessions, [uids])).map(rows => rows.map(row => row.payload)),
  })

  const deleteByGrant = async (kind: string, grantId: string) => {
    await database.run(statements.deleteByGrant, [kind, grantId])
  }

  const revokeGrant = async (grantId: string) => {
    await database.run(statements.revokeGrant, [hashOf('Grant', grantId)])
  }

  return {
    put,
    findSessions,
    find: (kind, id) => findByKey(hashOf(kind, id)),
    insert: async artifact => (await database.run(statements.insert, toArrays([artifact]))).length === 1,
    consume: (kind, id) => consume(hashOf(kind, id)),
    destroy: async (kind, id) => (await database.run(statements.destroy, [hashOf(kind, id)])).length === 1,
    findByUserCode: async userCode => (await database.run<FoundRow>(statements.userCode, [userCode])).map(toStored)[0],
    claimUserCode: async ({ kind, id, payload }) => (await database.run(statements.claimUserCode, [hashOf(kind, id), JSON.stringify(payload)])).length === 1,
    deleteByGrant,
    putGrant: async (grant, { uid, provenAt }) => {
      const [row] = await database.run<{ isLiving: boolean }>(statements.putGrant, [...toArrays([grant]), grant.accountId, uid, provenAt])
      return row?.isLiving === true
    },
    revokeGrant,
    revokeFamily: async grantId => {
      await Promise.all([revokeGrant(grantId), deleteByGrant('AccessToken', grantId), deleteByGrant('RefreshToken', grantId)])
    },
    findGrant: async ({ accountId, clientId, organizationId = null }) =>
      (await database.run<{ grant_id: string }>(statements.grant, [accountId, clientId, organizationId]))[0]?.grant_id,
    purge: async limit => (await database.run(statements.purge, [limit])).length,
  }
}

const nameOf = ({ kind, id }: Artifact) => `${kind}:${id}`

/** The values of the eleven arrays, a column each. */
const toArrays = (artifacts: readonly Artifact[]) => [
  artifacts.map(artifact => hashOf(artifact.kind, artifact.id)),
  artifacts.map(artifact => artifact.kind),
  artifacts.map(artifact => JSON.stringify(artifact.payload)),
  artifacts.map(artifact => artifact.grantId ?? null),
  artifacts.map(artifact => artifact.accountId ?? null),
  artifacts.map(artifact => artifact.clientId ?? null),
  artifacts.map(artifact => artifact.uid ?? null),
  artifacts.map(artifact => artifact.userCode ?? null),
  artifacts.map(artifact => artifact.organizationId ?? null),
  artifacts.map(artifact => (artifact.lineage ? JSON.stringify(artifact.lineage) : null)),
  artifacts.map(artifact => artifact.ttlSeconds ?? null),
]

const inOrder = (count: number, rows: readonly FoundRow[]): FoundRow[][] => {
  const found = Array.from({ length: count }, (): FoundRow[] => [])
  for (const row of rows) found[Number(row.i) - 1]?.push(row)
  return found
}

const toStored = ({ payload, consumed, leads, granted, sid, sessions }: FoundRow): StoredArtifact => ({
  payload,
  isConsumed: consumed,
  ...(leads
    ? { leadsTo: { grant: granted ? { payload: granted, isConsumed: false } : undefined, session: sid ? { uid: sid, rows: sessions ?? [] } : undefined } }
    : {}),
})
