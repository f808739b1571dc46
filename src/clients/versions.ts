// Looks up which version of a client lives, those that are asked for in one turn of the event loop by one statement.
import { createBatch } from '../platform/data/batch.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { isLivingClient } from './living.ts'

// LATERAL with LIMIT: one look into the index a client, whatever the planner believed of the table's size when it planned.
const versions = statement(
  'client-versions',
  `SELECT given.i, found.version FROM unnest($1::text[]) WITH ORDINALITY AS given(client_id, i)
   CROSS JOIN LATERAL (SELECT c.version FROM clients c WHERE c.client_id = given.client_id AND ${isLivingClient('c')}
     AND NOT EXISTS (SELECT 1 FROM client_documents d WHERE d.client_id = c.id AND d.refused_at IS NOT NULL) LIMIT 1) found`,
)

/** Makes the function, which answers `undefined` for a client that does not live. */
export const createFindVersion = (database: Database): ((clientId: string) => Promise<number | undefined>) =>
  createBatch<string, number | undefined>({
    run: async clientIds => {
      const rows = await database.run<{ i: string; version: number }>(versions, [clientIds])
      const found = new Map(rows.map(({ i, version }) => [Number(i), version]))
      return clientIds.map((_, index) => found.get(index + 1))
    },
  })
