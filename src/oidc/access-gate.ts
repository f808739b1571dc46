// Whether a sign-in still counts while something is kept under it: decided in the statement that keeps it, in turn with what ends it.

/** The places of the values in the statement: user's id (or null), session's uid, when the person proved themselves (seconds since 1970, with their fraction). */
interface Places {
  readonly accountId: `$${number}`
  readonly uid: `$${number}`
  readonly provenAt: `$${number}`
}

/**
 * Common table expressions that end in `gate`, with one boolean `is_open`. Whoever ends a person's access changes the user's
 * row, then the session's, then the artifacts; the same rows are locked here in the same order, so that either the ending
 * waits and then finds what was kept, or the keeping waits and then sees that it is over. A session that was told apart from
 * the ended ones goes on; a sign-in that has no session yet must be younger than the ending, by a
 * millisecond at least. The session's row is not shared: who keeps a sign-in renews it afterwards, and two who shared it would wait for each other.
 */
export const accessGate = ({ accountId, uid, provenAt }: Places): string => `owner AS (
     SELECT u.id, u.access_ended_at, u.factor_strikes FROM users u WHERE u.id = (${accountId}::text)::uuid FOR SHARE
   ), begun AS (
     SELECT s.ended_at FROM sessions s WHERE s.sid = ${uid} AND s.user_id = (SELECT id FROM owner) FOR NO KEY UPDATE
   ), gate AS (
     SELECT CASE
       WHEN ${accountId}::text IS NULL THEN true
       WHEN EXISTS (SELECT 1 FROM begun) THEN (SELECT ended_at IS NULL FROM begun)
       ELSE coalesce((SELECT access_ended_at IS NULL OR to_timestamp(${provenAt}::float8) > access_ended_at FROM owner), false)
     END AND NOT EXISTS (
       SELECT 1 FROM oidc_artifacts ended WHERE ended.uid = ${uid} AND ended.kind = 'Session' AND ended.revoked_at IS NOT NULL
     ) AS is_open
   )`
