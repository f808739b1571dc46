// The door of an organization's routes: one that is not there, or is deleted, is told 404, whatever the route would do.
import { z } from 'zod'
import type { OrganizationId } from '../organizations/organization.ts'
import { organizationIdSchema } from '../organizations/organization.ts'
import type { Actor } from '../platform/actor.ts'
import type { Route } from '../platform/http/route.ts'

/** Throws `not_found` for an organization that is not there. */
export type GetOrganization = (id: OrganizationId) => Promise<unknown>

const params = z.object({ id: organizationIdSchema })

/** The route behind the door. A member's standing proves that the organization lives; for all others one statement asks. */
export const withinExisting = (one: Route, get: GetOrganization): Route =>
  one.within === 'organization'
    ? {
        ...one,
        handle: async given => {
          const { id } = params.parse(given.params)
          if (!isMember(given.actor, id)) await get(id)
          return one.handle(given)
        },
      }
    : one

const isMember = ({ memberships }: Actor, id: string) => memberships?.has(id) ?? false
