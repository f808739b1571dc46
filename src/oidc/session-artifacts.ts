// Sign-in sessions: one document that parallel requests write together, so each writes only what it changed.
import type { Context } from 'koa'
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider'
import { type Database, statement } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { isObject, strings } from '../platform/values.ts'
import { accessGate } from './access-gate.ts'
import { type Payload, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import type { Endings } from './endings.ts'
import { askedAtOf, provenAtOf } from './proven-at.ts'
import { difference, isProvenAnew, isSame, isSignedInAnew } from './session-changes.ts'
import { proverOf } from './session-fields.ts'
import { withoutOrphans } from './session-grants.ts'

/** The adapter's special methods for sessions. */
export type SessionArtifacts = Pick<Adapter, 'find' | 'findByUid' | 'upsert' | 'destroy'>

/** Told once for each sign-in, when its session is first kept. */
export type OnSignedIn = (session: {
  uid: string
  accountId: string
  amr: readonly string[]
  expiresInSeconds: number
  /** When the person was last asked for a proof, where that is not now. */
  askedAt?: Date
  /** The account at another provider by which they came, and the organization for which alone the session is good. */
  identityId?: string | undefined
  confinedTo?: string | undefined
  deviceId?: string
  ip?: string
  userAgent?: string
  language?: string | undefined
}) => Promise<void>

/** Told of the sessions that people are signed in with. */
export interface SessionListeners {
  readonly onSignedIn: OnSignedIn
  /** A session was kept again for so long. */
  readonly onExtended: (session: { uid: string; expiresInSeconds: number }) => Promise<void>
  /** Somebody signs out: what is kept of their session ends, all at once. */
  readonly onSignedOut: (session: { uid: string; accountId: string }) => Promise<void>
}

interface Needs extends SessionListeners {
  readonly database: Database
  readonly durable: PostgresArtifacts
  readonly endings: Pick<Endings, 'ofKey' | 'ofClients'>
  /** By what the browser is known in which somebody signs in. */
  readonly findDeviceId: (ctx: Context) => string | undefined
  /** What they are spoken to in there, as a BCP 47 tag. */
  readonly findLanguage: (ctx: Context) => string
}

// A client's authorization in the session is added or removed alone: rows of the same uid (parallel resumes leave several)
// and the row itself as it is now, not as it was read, give the rest. A new id takes the place of the old one ($8) in the same
// statement: what the old row knew of other clients goes on, and no moment is without a session. An ended session is not
// kept again, under whatever id; its tombstones stay. Nor is one begun by an account at another provider ($10) that was unlinked meanwhile.
const isOpen = '(SELECT is_open FROM gate) AND ($10::uuid IS NULL OR EXISTS (SELECT 1 FROM prover))'
const put = statement(
  'session-put',
  `WITH ${accessGate({ accountId: '$3', uid: '$4', provenAt: '$9' })}, prover AS (
     SELECT i.id FROM identities i WHERE i.id = $10::uuid FOR KEY SHARE
   ), siblings AS (
     SELECT jsonb_object_agg(entry.key, entry.value) AS merged
     FROM oidc_artifacts a, jsonb_each(coalesce(a.payload::jsonb -> 'authorizations', '{}')) entry
     WHERE a.uid = $4 AND a.kind = 'Session' AND a.revoked_at IS NULL
   ), replaced AS (
     DELETE FROM oidc_artifacts WHERE key = $8 AND kind = 'Session' AND revoked_at IS NULL AND ${isOpen}
   )
   INSERT INTO oidc_artifacts AS a (key, kind, payload, account_id, uid, expires_at)
   SELECT $1, 'Session', jsonb_set($2::jsonb, '{authorizations}', (coalesce(merged, '{}') - $6::text[]) || $5::jsonb)::json, $3, $4, now() + make_interval(secs => $7)
   FROM siblings WHERE ${isOpen}
   ON CONFLICT (key) DO UPDATE SET
     payload = jsonb_set(excluded.payload::jsonb, '{authorizations}', (coalesce(a.payload::jsonb -> 'authorizations', '{}') - $6::text[]) || $5::jsonb)::json,
     account_id = excluded.account_id, expires_at = excluded.expires_at
   WHERE a.revoked_at IS NULL
   RETURNING key`,
)
// A session that ended leaves a tombstone: a request that was under way when somebody signed out cannot save it again.
// Who is signed in with the session, under whatever ids it is kept.
const signedIn = statement(
  'session-signed-in',
  `SELECT DISTINCT uid, account_id FROM oidc_artifacts
   WHERE kind = 'Session' AND revoked_at IS NULL AND account_id IS NOT NULL AND uid = (SELECT uid FROM oidc_artifacts WHERE key = $1)`,
)
// What is locked first wherever a session ends, so that whoever takes clients out of one waits here.
const lockOwner = `WITH ${accessGate({ accountId: '$1', uid: '$2', provenAt: '$3' })} SELECT is_open FROM gate`

/** Makes the methods. */
export const createSessionArtifacts = ({
  database,
  durable,
  endings,
  findDeviceId,
  findLanguage,
  onSignedIn,
  onExtended,
  onSignedOut,
}: Needs): SessionArtifacts => {
  const loaded = new WeakMap<object, { id: string; payload: Payload }>()

  // A client that a session loses is told in the same commit, as of a session that ended.
  const putWithout = (
    removed: readonly string[],
    { values, payload }: { values: readonly unknown[]; payload: Pick<AdapterPayload, 'accountId' | 'uid' | 'loginTs'> },
  ) =>
    database.prisma.$transaction(async tx => {
      await tx.$queryRawUnsafe(lockOwner, payload.accountId ?? null, payload.uid, provenAtOf(payload.loginTs))
      await endings.ofClients(tx, { sid: payload.uid ?? '' }, removed)
      return tx.$queryRawUnsafe<unknown[]>(put.text, ...values)
    })

  return {
    find: async id => {
      const stored = await durable.find('Session', id)
      // A copy: the engine changes what it is given in place, and what changed is told by comparing.
      if (stored && Provider.ctx) loaded.set(Provider.ctx, { id, payload: structuredClone(stored.payload) })
      return toPayload(id, stored)
    },
    findByUid: async uid => merged(await durable.findSessions(uid)),
    upsert: async (id, { jti: _id, ...given }, expiresIn) => {
      const payload = isObject(given.authorizations) ? { ...given, authorizations: withoutOrphans(given.authorizations) } : given
      const ctx = Provider.ctx
      const before = ctx && loaded.get(ctx)
      const known = before?.payload.uid === payload.uid ? before : undefined
      if (known?.id === id && isSame(known.payload, payload)) return
      const { changed, removed } = difference(known?.payload.authorizations, payload.authorizations)
      const values = [
        hashOf('Session', id),
        JSON.stringify(payload),
        payload.accountId ?? null,
        payload.uid,
        JSON.stringify(changed),
        removed,
        expiresIn,
        known && known.id !== id ? hashOf('Session', known.id) : null,
        provenAtOf(payload.loginTs),
        isSignedInAnew(known?.payload, payload) ? (proverOf(payload).identityId ?? null) : null,
      ]
      const kept = removed.length === 0 ? await database.run(put, values) : await putWithout(removed, { values, payload })
      // What came too late is no session, and nobody is told of one.
      if (kept.length === 0 || !payload.accountId || !payload.uid) return
      if (isProvenAnew(known?.payload, payload)) {
        await onSignedIn({
          uid: payload.uid,
          accountId: payload.accountId,
          amr: strings(payload.amr),
          expiresInSeconds: expiresIn ?? 0,
          askedAt: askedAtOf(payload.loginTs),
          ...proverOf(payload),
          deviceId: ctx && findDeviceId(ctx),
          ip: ctx?.ip,
          userAgent: ctx?.get('user-agent'),
          language: ctx && findLanguage(ctx),
        })
      } else await onExtended({ uid: payload.uid, expiresInSeconds: expiresIn ?? 0 })
    },
    destroy: async id => {
      // The engine destroys the old id before it saves the session under the new one: that `upsert` does both.
      if (isReplaced(id)) return
      const key = hashOf('Session', id)
      // Before what is left is destroyed here: whoever is told ends the session's row and its artifacts in one change.
      for (const { uid, account_id: accountId } of await database.run<{ uid: string; account_id: string }>(signedIn, [key]))
        await onSignedOut({ uid, accountId })
      await database.prisma.$transaction(tx => endings.ofKey(tx, key))
    },
  }
}

const isReplaced = (id: string) => {
  const session: unknown = Provider.ctx?.oidc?.session
  return isObject(session) && session.oldId === id && session.jti !== id
}

const merged = (rows: readonly Payload[]): AdapterPayload | undefined => {
  const newest = rows.at(-1)
  if (!newest) return undefined
  return { ...newest, authorizations: Object.assign({}, ...rows.map(row => row.authorizations)) }
}
