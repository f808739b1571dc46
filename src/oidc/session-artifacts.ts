// Sign-in sessions as the engine has them kept: found, kept and ended, and who is told of it.
import type { Context } from 'koa'
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import { isObject, strings } from '../platform/values.ts'
import { accessGate } from './access-gate.ts'
import { type Payload, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import type { Endings } from './endings.ts'
import { askedAtOf, provenAtOf } from './proven-at.ts'
import { isProvenAnew, isSame } from './session-changes.ts'
import { proverOf } from './session-fields.ts'
import { withoutOrphans } from './session-grants.ts'
import { putSession, toPut } from './session-put.ts'

/** The adapter's special methods for sessions. */
export type SessionArtifacts = Pick<Adapter, 'find' | 'findByUid' | 'upsert' | 'destroy'>

/** A sign-in whose session is kept. */
export interface BegunSession {
  readonly uid: string
  readonly accountId: string
  readonly amr: readonly string[]
  readonly expiresInSeconds: number
  /** When the person was last asked for a proof, where that is not now. */
  readonly askedAt?: Date | undefined
  /** The account at another provider by which they came, and the organization for which alone the session is good. */
  readonly identityId?: string | undefined
  readonly confinedTo?: string | undefined
  readonly deviceId?: string | undefined
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
  readonly language?: string | undefined
}

/** Told once for each sign-in, when its session is first kept and in the same commit: one that is not listed could not be ended either. */
export type OnSignedIn = (tx: TransactionClient, session: BegunSession) => Promise<void>

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

  const begunBy = (payload: AdapterPayload, expiresIn: number | undefined): BegunSession | undefined => {
    const ctx = Provider.ctx
    return payload.accountId && payload.uid
      ? {
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
        }
      : undefined
  }

  // A client that a session loses is told in the same commit, as of a session that ended. What comes too late is no session, and nobody is told
  // of one.
  const putTelling = ({ values, lostClients, payload, begun }: ReturnType<typeof toPut> & { payload: AdapterPayload; begun: BegunSession | undefined }) =>
    database.transact(async tx => {
      if (lostClients.length > 0) {
        await tx.$queryRawUnsafe(lockOwner, payload.accountId ?? null, payload.uid, provenAtOf(payload.loginTs))
        await endings.ofClients(tx, { sid: payload.uid ?? '' }, lostClients)
      }
      const kept = await tx.$queryRawUnsafe<unknown[]>(putSession.text, ...values)
      if (kept.length > 0 && begun) await onSignedIn(tx, begun)
      return kept
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
      const put = toPut({ id, known, payload, expiresIn })
      const begun = isProvenAnew(known?.payload, payload) ? begunBy(payload, expiresIn) : undefined
      const isTelling = put.lostClients.length > 0 || begun !== undefined
      const kept = isTelling ? await putTelling({ ...put, payload, begun }) : await database.run(putSession, put.values)
      if (kept.length === 0 || begun || !payload.accountId || !payload.uid) return
      await onExtended({ uid: payload.uid, expiresInSeconds: expiresIn ?? 0 })
    },
    destroy: async id => {
      // The engine destroys the old id before it saves the session under the new one: that `upsert` does both.
      if (isReplaced(id)) return
      const key = hashOf('Session', id)
      // Before what is left is destroyed here: whoever is told ends the session's row and its artifacts in one change.
      for (const { uid, account_id: accountId } of await database.run<{ uid: string; account_id: string }>(signedIn, [key]))
        await onSignedOut({ uid, accountId })
      await database.transact(tx => endings.ofKey(tx, key))
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
