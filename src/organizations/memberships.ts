// What a person is in organizations, as tokens tell of it: read anew whenever it is told, so that what ends is told no longer.
import { type Database, statement } from '../platform/data/database.ts'
import { isUuid } from '../platform/uuid.ts'
import type { PermissionsOf } from './holding.ts'
import { slugPattern } from './slug.ts'

/** What a person is in one organization. */
export interface TokenMembership {
  readonly organizationId: string
  readonly slug: string
  readonly name: string
  readonly roles: readonly string[]
  /** What the roles allow there on the management API. */
  readonly permissions: readonly string[]
  /** The scopes of resource servers that the roles hold, each `identifier scope`. */
  readonly resourceScopes: 'all' | readonly string[]
  /** Whether the organization requires a second factor. */
  readonly isMfaRequired: boolean
}

/** The memberships of people in living organizations. */
export interface Memberships {
  /** In the organization of this id or slug; `undefined` for whoever is no member, whether there is one or not. */
  find(person: { readonly userId: string; readonly organization: string }): Promise<TokenMembership | undefined>
  /** Whether the person is a member of the organization of this id; nobody is of one that is not there. */
  has(member: { readonly userId: string; readonly organizationId: string }): Promise<boolean>
  /** By name. */
  list(userId: string): Promise<readonly TokenMembership[]>
  /** Of the memberships, found by name and cut into pages: for whoever chooses one. */
  search(userId: string, part: { readonly q?: string; readonly offset: number; readonly limit: number }): Promise<FoundMemberships>
}

/** One page of memberships. */
export interface FoundMemberships {
  readonly rows: readonly TokenMembership[]
  readonly total: number
}

interface Row {
  id: string
  slug: string
  name: string
  role: string
  permissions: string[] | null
  resource_scopes: string[] | null
  is_mfa_required: boolean
}

// Who may write the organization's roles and resource servers holds every scope, for they could give it to themselves.
const holdsAll = new Set(['owner', 'admin'])

const columns = 'o.id, o.slug, o.name, o.is_mfa_required, coalesce(r.name, m.role) AS role, r.permissions, r.resource_scopes'
const living = `FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
   LEFT JOIN organization_roles r ON r.id = m.role_id WHERE m.user_id = $1`
const byId = statement('membership-by-id', `SELECT ${columns} ${living} AND o.id = $2::uuid`)
const bySlug = statement('membership-by-slug', `SELECT ${columns} ${living} AND o.slug = $2`)
const all = statement('memberships', `SELECT ${columns} ${living} ORDER BY lower(o.name), o.id`)
const matching = statement(
  'memberships-matching',
  `SELECT ${columns}, count(*) OVER ()::int AS total ${living} AND (o.name ILIKE $2 OR o.slug LIKE $2) ORDER BY lower(o.name), o.id LIMIT $3 OFFSET $4`,
)

interface Needs {
  readonly database: Database
  /** What a built-in role may do. */
  readonly permissionsOf: PermissionsOf
  /** What a role of an organization's own can have: a name that is not known any more allows nothing. */
  readonly grantable: ReadonlySet<string>
}

/** Makes the service. */
export const createMemberships = ({ database, permissionsOf, grantable }: Needs): Memberships => {
  const toMembership = ({ id, slug, name, role, permissions, ...row }: Row): TokenMembership => ({
    organizationId: id,
    slug,
    name,
    roles: [role],
    permissions: permissions ? permissions.filter(one => grantable.has(one)) : [...permissionsOf(role)],
    // No role of an organization's own has the name of a built-in one.
    resourceScopes: holdsAll.has(role) ? 'all' : (row.resource_scopes ?? []),
    isMfaRequired: row.is_mfa_required,
  })
  return {
    find: async ({ userId, organization }) => {
      // A slug may look like the id of another organization: what looks like an id is one.
      if (!isUuid(organization) && !slugPattern.test(organization)) return undefined
      const [row] = await database.run<Row>(isUuid(organization) ? byId : bySlug, [userId, organization])
      return row && toMembership(row)
    },
    has: async ({ userId, organizationId }) => isUuid(organizationId) && (await database.run(byId, [userId, organizationId])).length > 0,
    list: async userId => (await database.run<Row>(all, [userId])).map(toMembership),
    search: async (userId, { q = '', offset, limit }) => {
      const rows = await database.run<Row & { total: number }>(matching, [userId, `%${q.replace(/[\\%_]/g, '\\$&')}%`, limit, offset])
      return { rows: rows.map(toMembership), total: rows[0]?.total ?? 0 }
    },
  }
}
