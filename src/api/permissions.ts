// The permission table: which role of the system and which role of an organization may do what.

interface Holders {
  /** What it allows, as the document says it. */
  readonly summary: string
  readonly system: readonly 'admin'[]
  readonly organization: readonly ('owner' | 'admin' | 'member')[]
}

const admin = ['admin'] as const
const nobody = [] as const
const owner = ['owner'] as const
const managers = ['owner', 'admin'] as const
const everyMember = ['owner', 'admin', 'member'] as const

/** Permission × system role × organization role. A system role holds it in every organization. */
export const permissionTable = {
  'users:read': { summary: 'See people and their sessions.', system: admin, organization: nobody },
  'users:write': { summary: 'Make, change, suspend and delete people.', system: admin, organization: nobody },
  'admins:write': { summary: "Make, change, suspend and delete the system's administrators; of people alone.", system: admin, organization: nobody },
  'organizations:list': { summary: 'See all organizations.', system: admin, organization: nobody },
  'organizations:read': { summary: 'See an organization.', system: admin, organization: everyMember },
  'organizations:write': { summary: 'Change an organization.', system: admin, organization: managers },
  'organizations:delete': { summary: 'Delete an organization.', system: admin, organization: owner },
  'members:read': { summary: "See an organization's members.", system: admin, organization: everyMember },
  'members:write': { summary: 'Add and remove members and change their roles.', system: admin, organization: managers },
  'roles:read': { summary: "See an organization's roles.", system: admin, organization: everyMember },
  'roles:write': { summary: "Make, change and delete an organization's own roles.", system: admin, organization: managers },
  'clients:read': { summary: 'See clients.', system: admin, organization: managers },
  'clients:write': { summary: 'Make, change and delete clients and their secrets.', system: admin, organization: managers },
  'resource_servers:read': { summary: 'See the APIs that clients ask tokens for.', system: admin, organization: managers },
  'resource_servers:write': {
    summary: 'Make, change and delete the APIs that clients ask tokens for, and say who may.',
    system: admin,
    organization: managers,
  },
  'connections:read': { summary: 'See the upstream providers that people sign in by.', system: admin, organization: managers },
  // Whoever says who the provider is can sign in as anybody of its people: an organization's owners too.
  'connections:write': { summary: 'Make, change, test and delete upstream providers, who say who somebody is.', system: admin, organization: owner },
  'domains:read': { summary: "See an organization's domains.", system: admin, organization: managers },
  'domains:write': { summary: "Add, prove and remove an organization's domains.", system: admin, organization: managers },
  'api_keys:read': { summary: 'See API keys.', system: admin, organization: managers },
  'api_keys:write': { summary: 'Make and delete API keys.', system: admin, organization: managers },
  'webhooks:read': { summary: 'See webhooks and what was sent to them.', system: admin, organization: managers },
  'webhooks:write': { summary: 'Make, change, test and delete webhooks, which are told what happens.', system: admin, organization: managers },
  'signing_keys:read': { summary: 'See the signing keys.', system: admin, organization: nobody },
  'signing_keys:rotate': { summary: 'Rotate the signing keys.', system: admin, organization: nobody },
  'jobs:read': { summary: 'See what waits to be done, such as mail, and what was given up.', system: admin, organization: nobody },
  'jobs:write': { summary: 'Try given up jobs again, and delete jobs.', system: admin, organization: nobody },
  'audit:read': { summary: 'Read the audit log.', system: admin, organization: managers },
} as const satisfies Record<string, Holders>

/** A name of the table. */
export type Permission = keyof typeof permissionTable

/** All names. */
export const permissions = Object.keys(permissionTable) as Permission[]

/** Whether a text is a name of the table. */
export const isPermission = (name: string): name is Permission => Object.hasOwn(permissionTable, name)

const ofPeople: ReadonlySet<string> = new Set<Permission>(['admins:write'])

/** What a machine may be given: an API key, or an app for itself. */
export const machinePermissions: readonly Permission[] = permissions.filter(name => !ofPeople.has(name))

/** What a role of an organization may have. */
export const organizationPermissionNames: readonly Permission[] = permissions.filter(name => permissionTable[name].organization.length > 0)

/** The same, to ask of. */
export const grantable: ReadonlySet<string> = new Set(organizationPermissionNames)

const holding = (kind: 'system' | 'organization', role: string): ReadonlySet<string> =>
  new Set(permissions.filter(name => (permissionTable[name][kind] as readonly string[]).includes(role)))

const systemRoles = new Map([['admin', holding('system', 'admin')]])
const organizationRoles = new Map(everyMember.map(role => [role as string, holding('organization', role)]))

/** What a system role may do; nobody's role may nothing. */
export const systemPermissions = (role: string | null): ReadonlySet<string> => systemRoles.get(role ?? '') ?? new Set()

/** What a role of an organization may do there. */
export const organizationPermissions = (role: string): ReadonlySet<string> => organizationRoles.get(role) ?? new Set()

/** What a client of an organization may be given there: as much as its administrators may. */
export const clientPermissions: ReadonlySet<string> = organizationPermissions('admin')
