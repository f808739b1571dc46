// Ends what agents hold, for the transaction of the change that ends them: nothing of it comes back when they are enabled again.
import type { EndAgents } from '../clients/agent.ts'
import { toWithoutKeys } from '../clients/ended-keys.ts'
import type { TransactionClient } from '../platform/data/database.ts'

/** Makes it. `endRequests` ends what a client asked people by backchannel. */
export const createEndAgents =
  ({ endRequests, now }: { endRequests: (tx: TransactionClient, clientId: string) => Promise<void>; now: () => Date }): EndAgents =>
  async (tx, which) => {
    const found = await tx.client.findMany({ where: { ...which, isAgent: true }, select: { id: true } })
    if (found.length === 0) return []
    const seen = found.map(({ id }) => id)
    // In one order everywhere, and before the artifacts, so that two endings never wait for each other's rows.
    await tx.$queryRaw`SELECT id FROM clients WHERE id = ANY (${seen}::uuid[]) ORDER BY id FOR NO KEY UPDATE`
    // Asked again: one that passed to another owner meanwhile stays theirs.
    const agents = await tx.client.findMany({ where: { AND: [which, { id: { in: seen } }] }, orderBy: { id: 'asc' } })
    const ids = agents.map(({ id }) => id)
    await tx.clientSecret.updateMany({ where: { clientId: { in: ids }, revokedAt: null }, data: { revokedAt: now() } })
    for (const { id, clientId, metadata, endedKeys } of agents) {
      await tx.client.update({ where: { id }, data: { accessEndedAt: now(), ...toWithoutKeys({ metadata, endedKeys }), version: { increment: 1 } } })
      await endRequests(tx, clientId)
    }
    await tx.$executeRawUnsafe(ofAgents, ids)
    return agents.map(({ id, clientId, name, organizationId }) => ({ id, clientId, name, organizationId: organizationId ?? undefined }))
  }

// By those for whom an agent acts: what it held for whoever left before has ended with that.
const ofAgents = `
  WITH agents AS (
    SELECT c.client_id, c.organization_id, c.owner_user_id FROM clients c WHERE c.id = ANY ($1::uuid[])
  ), people AS (
    SELECT owner_user_id::text AS id FROM agents UNION
    SELECT m.user_id::text FROM organization_members m WHERE m.organization_id IN (SELECT organization_id FROM agents)
  ), held AS (
    SELECT key FROM oidc_artifacts
    WHERE account_id IN (SELECT id FROM people) AND client_id IN (SELECT client_id FROM agents) AND kind = 'Grant' AND revoked_at IS NULL ORDER BY key FOR UPDATE
  ) UPDATE oidc_artifacts a SET revoked_at = now(), payload = '{}' FROM held WHERE a.key = held.key AND a.revoked_at IS NULL`
