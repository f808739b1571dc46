// Ends what agents hold, for the transaction of the change that ends them: nothing of it comes back when they are enabled again.
import type { EndAgents, EndedAgent, EndHeldAgents } from '../clients/agent.ts'
import { toWithoutKeys } from '../clients/ended-keys.ts'
import type { TransactionClient } from '../platform/data/database.ts'

interface Needs {
  /** Ends what a client asked people by backchannel. */
  readonly endRequests: (tx: TransactionClient, clientId: string) => Promise<void>
  readonly now: () => Date
}

/** Makes it for agents that others may change at the same time. */
export const createEndAgents = (needs: Needs): EndAgents => {
  const endHeld = createEndHeldAgents(needs)
  return async (tx, which) => {
    const found = await tx.client.findMany({ where: { ...which, isAgent: true }, select: { id: true } })
    if (found.length === 0) return []
    const seen = found.map(({ id }) => id)
    // In one order everywhere, and before the artifacts, so that two endings never wait for each other's rows.
    await tx.$queryRaw`SELECT id FROM clients WHERE id = ANY (${seen}::uuid[]) ORDER BY id FOR NO KEY UPDATE`
    // Asked again: one that passed to another owner meanwhile stays theirs.
    const agents = await tx.client.findMany({ where: { AND: [which, { id: { in: seen } }] }, select: { id: true } })
    const ids = agents.map(({ id }) => id)
    return endHeld(tx, ids)
  }
}

interface Row {
  readonly id: string
  readonly clientId: string
  readonly name: string
  readonly organizationId: string | null
  readonly metadata: unknown
  readonly endedKeys: readonly string[]
}

/** Makes it by raw statements alone, which are all that a restore has. */
export const createEndHeldAgents =
  ({ endRequests, now }: Needs): EndHeldAgents =>
  async (tx, ids) => {
    if (ids.length === 0) return []
    const agents = await tx.$queryRaw<Row[]>`
      SELECT id, client_id AS "clientId", name, organization_id AS "organizationId", metadata, ended_keys AS "endedKeys"
      FROM clients WHERE id = ANY (${ids}::uuid[]) AND is_agent ORDER BY id`
    const held = agents.map(({ id }) => id)
    const at = now().toISOString()
    await tx.$executeRaw`UPDATE client_secrets SET revoked_at = ${at}::timestamptz WHERE client_id = ANY (${held}::uuid[]) AND revoked_at IS NULL`
    for (const agent of agents) {
      const { metadata, endedKeys } = toWithoutKeys(agent)
      await tx.$executeRaw`
        UPDATE clients SET access_ended_at = ${at}::timestamptz, updated_at = ${at}::timestamptz, version = version + 1,
          metadata = coalesce(${metadata === undefined ? null : JSON.stringify(metadata)}::json, metadata),
          ended_keys = coalesce(${endedKeys ?? null}::text[], ended_keys)
        WHERE id = ${agent.id}::uuid`
      await endRequests(tx, agent.clientId)
    }
    await tx.$executeRawUnsafe(ofAgents, held)
    return agents.map(toEnded)
  }

const toEnded = ({ id, clientId, name, organizationId }: Row): EndedAgent => ({ id, clientId, name, organizationId: organizationId ?? undefined })

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
