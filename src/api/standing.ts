// What a person may do at this moment: their role in the system and in each organization, read anew for each request.
import type { Membership } from '../platform/actor.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { organizationPermissions, systemPermissions } from './permissions.ts'

/** What a living person may do. */
export interface Standing {
  readonly permissions: ReadonlySet<string>
  readonly memberships: ReadonlyMap<string, Membership>
}

/** Looks a person up; suspended and deleted people have no standing. */
export type FindStanding = (userId: string) => Promise<Standing | undefined>

const standing = statement(
  'standing',
  `SELECT u.system_role, coalesce((
     SELECT json_object_agg(m.organization_id, m.role) FROM organization_members m JOIN organizations o ON o.id = m.organization_id
     WHERE m.user_id = u.id AND o.deleted_at IS NULL
   ), '{}'::json) AS roles
   FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL AND u.suspended_at IS NULL`,
)

/** Makes it. One statement a request. */
export const createFindStanding =
  (database: Database): FindStanding =>
  async userId => {
    const [row] = await database.run<{ system_role: string | null; roles: Record<string, string> }>(standing, [userId])
    if (!row) return undefined
    const memberships = Object.entries(row.roles).map(([id, role]) => [id, { role, permissions: organizationPermissions(role) }] as const)
    return { permissions: systemPermissions(row.system_role), memberships: new Map(memberships) }
  }

/** What two sets of permissions have in common. */
export const shared = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => new Set([...a].filter(name => b.has(name)))

/** What is left of a standing when only some permissions were handed on. */
export const narrowed = ({ permissions, memberships }: Standing, scopes: ReadonlySet<string>): Standing => ({
  permissions: shared(permissions, scopes),
  memberships: new Map([...memberships].map(([id, { role, permissions: held }]) => [id, { role, permissions: shared(held, scopes) }])),
})
