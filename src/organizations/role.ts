// The words of roles: the three that every organization has, those of its own, and what is told of them.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { OrganizationId } from './organization.ts'
import { slugPattern } from './slug.ts'

/** A role of an organization. */
export interface Role {
  /** Absent: built in. */
  readonly id?: string
  readonly name: string
  readonly description?: string
  readonly permissions: readonly string[]
  /** Scopes of resource servers, each `identifier scope`: neither may hold a space. */
  readonly resourceScopes: readonly string[]
  readonly createdAt?: Date
  readonly updatedAt?: Date
}

/** Names a role in its organization: by its id, or by its name. */
export interface RoleKey {
  readonly organizationId: OrganizationId
  readonly role: string
}

/** What a new role is made of. */
export interface NewRole {
  readonly name: string
  readonly description?: string
  readonly permissions: readonly string[]
  readonly resourceScopes?: readonly string[]
}

/** What of a role may be changed; `null` empties. */
export interface RoleChanges {
  readonly name?: string
  readonly description?: string | null
  readonly permissions?: readonly string[]
  /** Replaces all of them. */
  readonly resourceScopes?: readonly string[]
}

/** Parses a role's name; large letters are the same as small ones. */
export const roleNameSchema = z.string().toLowerCase().max(125).regex(slugPattern, 'must be letters, digits and single hyphens')

const shape = { name: z.string(), permissions: z.array(z.string()), resource_scopes: z.array(z.string()) }

/** Splits what {@link Role.resourceScopes} holds. */
export const resourceScopeOf = (pair: string) => {
  const [resource = '', scope = ''] = pair.split(' ', 2)
  return { resource, scope }
}

/** The events of roles. */
export const roleEvents = {
  'role.created': event('role', shape),
  'role.updated': event('role', {
    ...shape,
    previous_name: z.string(),
    previous_permissions: z.array(z.string()),
    previous_resource_scopes: z.array(z.string()),
    changed: z.array(z.string()),
  }),
  'role.deleted': event('role', shape),
}

/** The roles that are handed out by something else than a member's row; asked and told while the organization is locked. */
export interface HandedOutRoles {
  /** Whether somebody may get the role without anybody giving it. */
  has(tx: TransactionClient, role: { readonly organizationId: string; readonly name: string }): Promise<boolean>
  rename(tx: TransactionClient, role: { readonly organizationId: string; readonly from: string; readonly to: string }): Promise<void>
}
