// Where a person is signed in: one row a session, for people to see and to end.
import { type Database, statement } from '../platform/data/database.ts'

/** A sign-in as it happened. */
export interface SignedIn {
  readonly sid: string
  readonly userId: string
  readonly amr: readonly string[]
  readonly ip?: string
  readonly userAgent?: string
  readonly expiresInSeconds: number
}

/** The sessions of the system. */
export interface Sessions {
  /** Notes a sign-in; a further one in the same session renews it. */
  begin(session: SignedIn): Promise<void>
  /** Notes that a living session was used and goes on for so long. */
  extend(session: { readonly sid: string; readonly expiresInSeconds: number }): Promise<void>
}

const begin = statement(
  'session-begin',
  `INSERT INTO sessions (id, user_id, kind, sid, ip, user_agent, amr, expires_at)
   VALUES ($1, $2, 'browser', $3, $4, $5, $6, now() + make_interval(secs => $7))
   ON CONFLICT (sid) DO UPDATE SET user_id = excluded.user_id, amr = excluded.amr, proven_at = now(), ip = excluded.ip, user_agent = excluded.user_agent, last_seen_at = now(), expires_at = excluded.expires_at`,
)

const extend = statement(
  'session-extend',
  'UPDATE sessions SET expires_at = now() + make_interval(secs => $2), last_seen_at = now() WHERE sid = $1 AND ended_at IS NULL',
)
// By the expiry alone, which is indexed: it is at most a session's lifetime after whatever ended it. SKIP LOCKED: several processes may purge at once.
const purge = statement(
  'session-purge',
  `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
)

/** Forgets up to `limit` sessions that are over for more than thirty days; answers how many. */
export const purgeSessions = async (database: Database, limit: number): Promise<number> => (await database.run(purge, [limit])).length

/** Makes the service. */
export const createSessions = ({ database, newId }: { database: Database; newId: () => string }): Sessions => ({
  begin: async ({ sid, userId, amr, ip, userAgent, expiresInSeconds }) => {
    await database.run(begin, [newId(), userId, sid, ip ?? null, userAgent?.slice(0, 512) ?? null, amr, expiresInSeconds])
  },
  extend: async ({ sid, expiresInSeconds }) => {
    await database.run(extend, [sid, expiresInSeconds])
  },
})
