// The words of agents: clients that act for people under a name of their own.
import type { Registration } from './client.ts'

/** How many agents a person may have. */
export const maxAgents = 10

/** A person's own agent acts for that person alone; one of an organization for its members, which the organization's rule says already. */
export const isForeign = (registration: Pick<Registration, 'ownerUserId' | 'organizationId'> | undefined, userId: string): boolean =>
  registration?.ownerUserId !== undefined && registration.organizationId === undefined && registration.ownerUserId !== userId

/** Whether it is an agent that a person made for themselves: nobody but its owner answers for it. */
export const isPersonal = (registration: Pick<Registration, 'ownerUserId' | 'organizationId'> | undefined): boolean =>
  registration?.ownerUserId !== undefined && registration.organizationId === undefined
