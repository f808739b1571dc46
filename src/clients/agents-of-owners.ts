// What becomes of the agents of a person or an organization that goes: they end with it, and what belongs to an organization outlives the person
// there, disabled.
import type { RecordEvent } from '../platform/data/change.ts'
import type { Prisma, TransactionClient } from '../platform/data/database.ts'
import type { EndAgents, EndedAgent } from './agent.ts'

/** The agents of those who go, each for the transaction of the change by which they do. */
export interface AgentsOfOwners {
  /** Ends what a person's agents hold; those of one organization alone where it is named, with `null` those that are the person's own. */
  end(tx: TransactionClient, record: RecordEvent, owner: { readonly userId: string; readonly organizationId?: string | null }): Promise<void>
  /** Ends what the agents of an organization hold. */
  endOfOrganization(tx: TransactionClient, record: RecordEvent, organizationId: string): Promise<void>
  /** Parts a person who is purged from their agents: their own are deleted, those of organizations are disabled and nobody's. */
  release(tx: TransactionClient, record: RecordEvent, userId: string): Promise<void>
}

/** Makes it. */
export const createAgentsOfOwners = ({ endAgents, now }: { endAgents: EndAgents; now: () => Date }): AgentsOfOwners => {
  const end = async (tx: TransactionClient, record: RecordEvent, which: Prisma.ClientWhereInput) => {
    const ended = await endAgents(tx, which)
    for (const agent of ended) record('client.access_ended', ...told(agent))
    return ended
  }
  return {
    end: async (tx, record, { userId, organizationId }) => {
      await end(tx, record, { ownerUserId: userId, deletedAt: null, ...(organizationId === undefined ? {} : { organizationId }) })
    },
    endOfOrganization: async (tx, record, organizationId) => {
      await end(tx, record, { organizationId, deletedAt: null })
    },
    release: async (tx, record, userId) => {
      const ended = await end(tx, record, { ownerUserId: userId })
      for (const agent of ended) {
        const { id, organizationId } = agent
        if (organizationId === undefined) {
          await tx.client.delete({ where: { id } })
          record('client.purged', { id, client_id: agent.clientId })
        } else {
          await tx.client.updateMany({ where: { id, disabledAt: null }, data: { disabledAt: now() } })
          await tx.client.update({ where: { id }, data: { ownerUserId: null, version: { increment: 1 } } })
          record('client.owner_changed', ...told(agent, { previous_owner_user_id: userId }))
        }
      }
    },
  }
}

const told = ({ id, clientId, name, organizationId }: EndedAgent, more: object = {}) =>
  [{ id, client_id: clientId, name, ...more }, organizationId === undefined ? {} : { organizationId }] as const
