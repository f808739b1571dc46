// Ends what agents hold, for the transaction of the change that ends them: nothing of it comes back when they are enabled again.

import type { TransactionClient } from '../platform/data/database.ts'
import type { EndAgents, EndedAgent, EndHeldAgents } from './agent.ts'
import { toWithoutKeys } from './ended-keys.ts'

interface Needs {
  /** Ends what a client asked people by backchannel. */
  readonly endRequests: (tx: TransactionClient, clientId: string) => Promise<void>
  /** Ends what people allowed agents, by the ids of the agents. */
  readonly endGrants: (tx: TransactionClient, ids: readonly string[]) => Promise<void>
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
  ({ endRequests, endGrants, now }: Needs): EndHeldAgents =>
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
    await endGrants(tx, held)
    return agents.map(toEnded)
  }

const toEnded = ({ id, clientId, name, organizationId }: Row): EndedAgent => ({ id, clientId, name, organizationId: organizationId ?? undefined })
