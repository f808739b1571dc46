// Consumes artifacts in the store, those of one turn of the event loop by one statement: each has one winner.
import { createBatch } from '../platform/data/batch.ts'
import { type Database, statement } from '../platform/data/database.ts'

// RETURNING, not an affected-row count, says who won. The rows are found, and so locked, by the index and in its order: two statements that
// consume the same artifacts never wait for each other.
const consume = statement(
  'artifact-consume',
  'UPDATE oidc_artifacts SET consumed_at = now() WHERE key = ANY($1::bytea[]) AND consumed_at IS NULL AND revoked_at IS NULL RETURNING key',
)

/** Makes the function, which takes an artifact's hash and answers whether this call was the one that consumed it. */
export const createConsume = (database: Database): ((key: Buffer) => Promise<boolean>) =>
  createBatch<Buffer, boolean>({
    isChange: true,
    // Of two that consume the same artifact each needs an answer of its own.
    keyOf: key => key.toString('base64url'),
    run: async keys => {
      const consumed = await database.run<{ key: Buffer }>(consume, [keys])
      const won = new Set(consumed.map(({ key }) => key.toString('base64url')))
      return keys.map(key => won.has(key.toString('base64url')))
    },
  })
