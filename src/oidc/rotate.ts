// Rotates refresh tokens in the store, those of one turn of the event loop by one statement: each has one winner, and no other part in the rest.
import { createBatch } from '../platform/data/batch.ts'
import { type Database, statement } from '../platform/data/database.ts'

/** A token's place taken by its successor. */
export interface Replacement {
  /** The hash of the token that is redeemed. */
  readonly predecessor: Buffer
  /** The successor, sealed under the token. */
  readonly sealed: Buffer
  /** The hash of the successor. */
  readonly successor: Buffer
  readonly payload: object
  readonly grantId?: string | undefined
  readonly ttlSeconds: number | undefined
}

// Consuming the old and keeping the new is one statement: a process killed in between loses nobody's session. The rows are found, and so
// locked, by the index and in its order: two statements that rotate the same tokens never wait for each other.
const rotate = statement(
  'refresh-token-rotate',
  `WITH won AS (
     UPDATE oidc_artifacts a SET consumed_at = now(), successor = ($2::bytea[])[array_position($1::bytea[], a.key)]
     WHERE a.key = ANY($1::bytea[]) AND a.consumed_at IS NULL AND a.revoked_at IS NULL RETURNING a.key
   ), given AS (
     SELECT * FROM unnest($1::bytea[], $3::bytea[], $4::text[], $5::text[], $6::float8[]) AS given(key, successor, payload, grant_id, ttl)
   )
   INSERT INTO oidc_artifacts (key, kind, payload, grant_id, expires_at)
   SELECT given.successor, 'RefreshToken', given.payload::json, given.grant_id, now() + make_interval(secs => given.ttl)
   FROM given JOIN won ON won.key = given.key RETURNING key`,
)

/** Makes the function, which answers whether this call was the one that redeemed the token. */
export const createRotate = (database: Database): ((replacement: Replacement) => Promise<boolean>) =>
  createBatch<Replacement, boolean>({
    isChange: true,
    // Of two that redeem the same token each needs an answer of its own.
    keyOf: ({ predecessor }) => predecessor.toString('base64url'),
    run: async all => {
      const kept = await database.run<{ key: Buffer }>(rotate, [
        all.map(({ predecessor }) => predecessor),
        all.map(({ sealed }) => sealed),
        all.map(({ successor }) => successor),
        all.map(({ payload }) => JSON.stringify(payload)),
        all.map(({ grantId }) => grantId ?? null),
        all.map(({ ttlSeconds }) => ttlSeconds ?? null),
      ])
      const won = new Set(kept.map(({ key }) => key.toString('base64url')))
      return all.map(({ successor }) => won.has(successor.toString('base64url')))
    },
  })
