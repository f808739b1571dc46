// Ends what people allowed agents, for the transaction of the change that ends the agents.
import type { TransactionClient } from '../platform/data/database.ts'

// By those for whom an agent acts: what it held for whoever left before has ended with that.
const grantsOfAgents = `
  WITH agents AS (
    SELECT c.client_id, c.organization_id, c.owner_user_id FROM clients c WHERE c.id = ANY ($1::uuid[])
  ), people AS (
    SELECT owner_user_id::text AS id FROM agents UNION
    SELECT m.user_id::text FROM organization_members m WHERE m.organization_id IN (SELECT organization_id FROM agents)
  ), held AS (
    SELECT key FROM oidc_artifacts
    WHERE account_id IN (SELECT id FROM people) AND client_id IN (SELECT client_id FROM agents) AND kind = 'Grant' AND revoked_at IS NULL ORDER BY key FOR UPDATE
  ) UPDATE oidc_artifacts a SET revoked_at = now(), payload = '{}' FROM held WHERE a.key = held.key AND a.revoked_at IS NULL`

/** Ends it, by the ids of the agents. */
export const endGrantsOfAgents = async (tx: TransactionClient, ids: readonly string[]): Promise<void> => {
  await tx.$executeRawUnsafe(grantsOfAgents, ids)
}
