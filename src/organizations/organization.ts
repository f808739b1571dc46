// The words of this slice: organizations, who belongs to them, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** A UUID v7. */
export type OrganizationId = string & z.$brand<'OrganizationId'>

/** Parses an organization's id. */
export const organizationIdSchema = z.uuid().brand<'OrganizationId'>()

/** What a member may do, from most to least. */
export type OrganizationRole = 'owner' | 'admin' | 'member'

/** The events of this slice. */
export const organizationEvents = {
  'organization.created': event('organization', { slug: z.string(), name: z.string() }),
  'organization.member_added': event('user', { role: z.string() }),
}
