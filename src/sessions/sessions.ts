// Where a person is signed in: one row a session, for people to see and to end. A sign-in is noted in the transaction that keeps what the browser
// is signed in by; of one in a browser that is new its user is told in it too. Going on with a session takes one statement.
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { type Devices, deviceKey, type Place } from './devices.ts'

/** A sign-in as it happened. */
export interface SignedIn extends Place {
  readonly sid: string
  readonly userId: string
  readonly amr: readonly string[]
  readonly expiresInSeconds: number
  /** When the person was last asked for a proof, where that is not now. */
  readonly askedAt?: Date | undefined
  /** The account at another provider by which they came. */
  readonly identityId?: string | undefined
  /** The organization for which alone it is good. */
  readonly confinedTo?: string | undefined
}

/** The sessions of the system. */
export interface Sessions {
  /** Notes a sign-in; a further one in the same session renews it. One from a device that is new to its user is told to them in the same commit. */
  begin(tx: TransactionClient, session: SignedIn): Promise<void>
  /** Notes that a living session was used and goes on for so long. */
  extend(session: { readonly sid: string; readonly expiresInSeconds: number }): Promise<void>
}

// Begins nothing on a device that is new.
const begin = `
  WITH seen AS (UPDATE known_devices SET seen_at = now() WHERE user_id = $2::uuid AND key = $8 RETURNING user_id)
   INSERT INTO sessions (id, user_id, kind, sid, ip, user_agent, amr, expires_at, proven_at, identity_id, confined_to)
   SELECT $1::uuid, user_id, 'browser', $3, $4, $5, $6::text[], now() + make_interval(secs => $7::double precision), coalesce($9::timestamptz, now()), $10::uuid, $11::uuid FROM seen
   ON CONFLICT (sid) DO UPDATE SET user_id = excluded.user_id, amr = excluded.amr, proven_at = excluded.proven_at, identity_id = excluded.identity_id, confined_to = excluded.confined_to, ip = excluded.ip, user_agent = excluded.user_agent, last_seen_at = now(), expires_at = excluded.expires_at
   RETURNING id`

const extend = statement(
  'session-extend',
  'UPDATE sessions SET expires_at = now() + make_interval(secs => $2), last_seen_at = now() WHERE sid = $1 AND ended_at IS NULL',
)
/** Forgets sessions that are over for more than thirty days: by the expiry alone, which is at most a session's lifetime after whatever ended it. */
export const purgeSessions = createPurge({ table: 'sessions', due: "expires_at < now() - interval '30 days'" })

/** Makes the service. */
export const createSessions = ({ database, devices, newId }: { database: Database; devices: Devices; newId: () => string }): Sessions => ({
  begin: async (tx, { sid, userId, amr, expiresInSeconds, askedAt = null, identityId = null, confinedTo = null, ...from }) => {
    const { ip = null, userAgent = null } = from
    const proof = [amr, expiresInSeconds, deviceKey(from), askedAt, identityId, confinedTo]
    const values = [newId(), userId, sid, ip, userAgent?.slice(0, 512) ?? null, ...proof]
    if ((await tx.$queryRawUnsafe<unknown[]>(begin, ...values)).length > 0) return
    await devices.note(tx, { userId, from })
    await tx.$queryRawUnsafe(begin, ...values)
  },
  extend: async ({ sid, expiresInSeconds }) => {
    await database.run(extend, [sid, expiresInSeconds])
  },
})
