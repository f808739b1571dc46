// The words of this slice: organizations, who belongs to them, and what is told of it.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import { uuid } from '../platform/http/text.ts'
import type { UserId } from '../users/user.ts'

/** A UUID v7. */
export type OrganizationId = string & z.$brand<'OrganizationId'>

/** Parses an organization's id; it is in small letters afterwards. */
export const organizationIdSchema = uuid.brand<'OrganizationId'>()

/** The roles that every organization has, from most to least. */
export const organizationRoles = ['owner', 'admin', 'member'] as const

/** A role that every organization has. */
export type OrganizationRole = (typeof organizationRoles)[number]

/** A company or team whose people sign in. */
export interface Organization {
  readonly id: OrganizationId
  readonly slug: string
  readonly name: string
  readonly description?: string
  /** Whether its members prove a second factor where they enter its clients. */
  readonly isMfaRequired: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What a new organization is made of. */
export interface NewOrganization {
  /** Absent: made from the name. */
  readonly slug?: string
  readonly name: string
  readonly description?: string
  /** Who becomes its first owner. */
  readonly ownerId?: string
}

/** What of an organization may be changed; `null` empties. */
export interface OrganizationChanges {
  readonly slug?: string
  readonly name?: string
  readonly description?: string | null
  readonly isMfaRequired?: boolean
}

/** A person in an organization. */
export interface Member {
  readonly userId: UserId
  readonly email: string
  readonly isEmailVerified: boolean
  readonly name?: string
  /** The name of their role. */
  readonly role: string
  readonly joinedAt: Date
}

const shape = { slug: z.string(), name: z.string() }
const member = event('user', { role: z.string() })

/** The events of this slice. */
export const organizationEvents = {
  'organization.created': event('organization', shape),
  'organization.updated': event('organization', { ...shape, changed: z.array(z.string()) }),
  'organization.settings_updated': event('organization', { ...shape, changed: z.array(z.string()) }),
  'organization.deleted': event('organization', { ...shape, reason: z.enum(['deleted_before_restore']).optional() }),
  'organization.restored': event('organization', shape),
  'organization.purged': event('organization', {}),
  'organization.member_added': member,
  'organization.member_removed': member,
  'organization.member_role_changed': event('user', { role: z.string(), previous_role: z.string() }),
}
