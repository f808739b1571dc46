// Keeps a session: one document that parallel requests write together, so each writes only what it changed.
import type { AdapterPayload } from 'oidc-provider'
import { statement } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { isStruckIn } from '../users/factor-strikes.ts'
import { accessGate } from './access-gate.ts'
import type { Payload } from './artifact.ts'
import { factorAtOf, provenAtOf } from './proven-at.ts'
import { difference, isSignedInAnew } from './session-changes.ts'
import { proverOf } from './session-fields.ts'

const isCounting = '(SELECT is_open AND NOT is_struck FROM gate, struck) AND ($12::uuid IS NULL OR EXISTS (SELECT FROM prover))'

const written = (payload: string, authorizations: string) =>
  `((${payload} - $10::text[]) || $2::jsonb || jsonb_build_object('authorizations', (${authorizations} - $6::text[]) || $5::jsonb))::json`

/**
 * Each member of the document, and each client's authorization in it, is changed or removed alone: the row as it is now, not as it was read, gives
 * the rest. A factor that was taken back meanwhile (struck-factors.ts) stays so. Of the authorizations all rows of the uid give theirs, for
 * parallel resumes leave several: where one of them took the row away that this one waited for, that row as it was seen. A new id takes the
 * place of the old one ($8) in the same statement: no moment is without a session. An ended session is not kept again, under whatever id; its
 * tombstones stay. Neither is one that says two factors, where one was removed since it was proven, nor one begun by an account at another provider ($12) that was unlinked meanwhile.
 */
export const putSession = statement(
  'session-put',
  `WITH ${accessGate({ accountId: '$3', uid: '$4', provenAt: '$9' })}, struck AS (
     SELECT ${isStruckIn({ owner: 'owner', amr: "$2::jsonb -> 'amr'", at: '$11::float8' })} AS is_struck
   ), prover AS (
     SELECT i.id FROM identities i WHERE i.id = $12::uuid FOR KEY SHARE
   ), siblings AS (
     SELECT a.key, a.payload::jsonb AS payload, a.created_at FROM oidc_artifacts a
     WHERE a.uid = $4 AND a.kind = 'Session' AND a.revoked_at IS NULL AND ${isCounting} ORDER BY a.key FOR UPDATE
   ), seen AS (
     SELECT a.key, a.payload::jsonb AS payload, a.created_at FROM oidc_artifacts a
     WHERE a.uid = $4 AND a.kind = 'Session' AND a.revoked_at IS NULL AND ${isCounting} AND NOT EXISTS (SELECT FROM siblings)
   ), rows AS (SELECT * FROM siblings UNION ALL SELECT * FROM seen), known AS (
     SELECT coalesce((SELECT payload FROM rows ORDER BY key = $8 DESC NULLS LAST, created_at DESC LIMIT 1), '{}') AS payload,
       coalesce((SELECT jsonb_object_agg(entry.key, entry.value) FROM rows, jsonb_each(coalesce(rows.payload -> 'authorizations', '{}')) entry), '{}') AS authorizations
   ), replaced AS (
     DELETE FROM oidc_artifacts WHERE key = $8 AND key IN (SELECT key FROM siblings)
   )
   INSERT INTO oidc_artifacts AS a (key, kind, payload, account_id, uid, expires_at)
   SELECT $1, 'Session', ${written('known.payload', 'known.authorizations')}, $3, $4, now() + make_interval(secs => $7)
   FROM known WHERE ${isCounting}
   ON CONFLICT (key) DO UPDATE SET
     payload = ${written('a.payload::jsonb', "coalesce(a.payload::jsonb -> 'authorizations', '{}')")},
     account_id = excluded.account_id, expires_at = excluded.expires_at
   WHERE a.revoked_at IS NULL
   RETURNING key`,
)

/** A session as it is to be kept. */
export interface SessionToPut {
  readonly id: string
  /** As the request read it; absent: not at all. */
  readonly known: { readonly id: string; readonly payload: Payload } | undefined
  readonly payload: AdapterPayload
  readonly expiresIn: number | undefined
}

/** The values of {@link putSession}, and the clients that the session loses. */
export const toPut = ({ id, known, payload, expiresIn }: SessionToPut) => {
  const { authorizations: before, ...membersBefore } = known?.payload ?? {}
  const { authorizations: after, ...membersAfter } = payload
  const members = difference(membersBefore, membersAfter)
  const clients = difference(before, after)
  const values = [
    hashOf('Session', id),
    JSON.stringify(members.changed),
    payload.accountId ?? null,
    payload.uid,
    JSON.stringify(clients.changed),
    clients.removed,
    expiresIn,
    known && known.id !== id ? hashOf('Session', known.id) : null,
    provenAtOf(payload.loginTs),
    members.removed,
    factorAtOf(payload.loginTs),
    isSignedInAnew(known?.payload, payload) ? (proverOf(payload).identityId ?? null) : null,
  ]
  return { values, lostClients: clients.removed }
}
