// The words of agents: clients that act for people under a name of their own.

import type { Prisma, TransactionClient } from '../platform/data/database.ts'
import { mailedName } from '../platform/http/text.ts'
import type { Registration } from './client.ts'
import type { Clients } from './clients.ts'
import { maxNameLength } from './open-bounds.ts'

/** How many agents a person may have. */
export const maxAgents = 10

/** How many a person may make in a day. */
export const maxAgentsADay = 20

/** What a person's own agent may be called. */
export const agentName = mailedName(maxNameLength)

/** Whether a scope of our own API changes nothing there: what a person's own agent may have. */
export const isReading = (scope: string): boolean => scope.endsWith(':read')

/** Whether it is an agent that a person made for themselves: nobody but its owner answers for it. */
export const isPersonal = (registration: Pick<Registration, 'ownerUserId' | 'organizationId'> | undefined): boolean =>
  registration?.ownerUserId !== undefined && registration.organizationId === undefined

/** A person's own agent acts for that person alone; one of an organization for its members, which the organization's rule says already. */
export const isForeign = (registration: Pick<Registration, 'ownerUserId' | 'organizationId'> | undefined, userId: string): boolean =>
  isPersonal(registration) && registration?.ownerUserId !== userId

/** The clients where nobody may have agents of their own: those that are kept are not there. */
export const withoutPersonalAgents = (clients: Clients): Clients => ({
  ...clients,
  find: async clientId => {
    const found = await clients.find(clientId)
    return isPersonal(found) ? undefined : found
  },
})
/** An agent whose access has ended. */
export interface EndedAgent {
  readonly id: string
  readonly clientId: string
  readonly name: string
  readonly organizationId: string | undefined
}

/**
 * Ends what agents hold: their grants, secrets and keys, what they asked and what was issued to them. Other clients are passed over. Before
 * anything else of the change that ends tokens.
 */
export type EndAgents = (tx: TransactionClient, which: Prisma.ClientWhereInput) => Promise<readonly EndedAgent[]>

/** The same of those with these ids, which nobody else changes meanwhile. */
export type EndHeldAgents = (tx: TransactionClient, ids: readonly string[]) => Promise<readonly EndedAgent[]>
