// Forgets clients that made themselves known and were never let in by anybody.
import { createPurge } from '../platform/data/purge.ts'

/** A week after anybody registered one, and two days after a document was last read, which is asked for again within one. */
export const purgeUnusedClients = createPurge({
  table: 'clients',
  due: `used_at IS NULL AND (
    (source = 'open' AND created_at < now() - interval '7 days')
    OR (source = 'document' AND disabled_at IS NULL AND deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM client_documents d WHERE d.client_id = clients.id AND d.fetched_at > now() - interval '2 days')))`,
})
