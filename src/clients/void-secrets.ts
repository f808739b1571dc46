// Forgets the secrets of clients that open nothing any more.
import { createPurge } from '../platform/data/purge.ts'

/** A month after they expired or were revoked: until then administrators see when they expired. */
export const purgeVoidSecrets = createPurge({ table: 'client_secrets', due: "least(expires_at, revoked_at) < now() - interval '30 days'" })
