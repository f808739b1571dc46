// Roles of an organization's own: made, changed and deleted while the organization is locked, and never by whoever holds less.
import type { Actor } from '../platform/actor.ts'
import { holdAuthority } from '../platform/context.ts'
import type { Change } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { isUuid } from '../platform/uuid.ts'
import type { MustHoldRoles, PermissionsOf } from './holding.ts'
import { type Organization, type OrganizationId, organizationRoles } from './organization.ts'
import type { MustBeGrantable } from './resource-scopes.ts'
import type { HandedOutRoles, NewRole, Role, RoleChanges, RoleKey } from './role.ts'

const maxRoles = 100
const descriptions = {
  owner: 'May do everything in the organization.',
  admin: 'Manages the organization, its people and its clients.',
  member: 'Belongs to it.',
}

/**
 * The roles of organizations. Each throws `not_found` for an organization or role that is not there; each change `forbidden`
 * where a role has permissions that the caller lacks, and `role_built_in` for one that every organization has.
 */
export interface Roles {
  /** The built-in ones first, then the organization's own by name. */
  list(organizationId: OrganizationId): Promise<readonly Role[]>
  get(key: RoleKey): Promise<Role>
  /** Throws `role_name_taken`, and `too_many_roles` beyond a hundred. */
  create(actor: Actor, role: NewRole & { readonly organizationId: OrganizationId }): Promise<Role>
  /** Its members, and the connections and invitations that hand it out, go on with the role as it becomes. Throws `role_name_taken`. `expect` is called with what is about to be changed. */
  update(actor: Actor, key: RoleKey, changes: RoleChanges & { readonly expect?: Expect }): Promise<Role>
  /** Throws `role_in_use` while somebody has it, also somebody deleted who may still be restored, and while a connection or an open invitation hands it out. `expect` is called as by an update. */
  remove(actor: Actor, key: RoleKey, options?: { readonly expect?: Expect }): Promise<void>
}

type Expect = (role: Role) => void

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly lock: (tx: TransactionClient, id: OrganizationId) => Promise<Organization>
  readonly permissionsOf: PermissionsOf
  readonly mustHoldRoles: MustHoldRoles
  /** Each asked and told. */
  readonly handedOutRoles: readonly HandedOutRoles[]
  readonly mustBeGrantable: MustBeGrantable
}

/** Makes the service. */
export const createRoles = ({ database, change, lock, permissionsOf, mustHoldRoles, handedOutRoles, mustBeGrantable }: Needs): Roles => {
  const builtIn = organizationRoles.map((name): Role => ({ name, description: descriptions[name], permissions: [...permissionsOf(name)], resourceScopes: [] }))
  const find = async (tx: Pick<TransactionClient, 'organizationRole'>, { organizationId, role }: RoleKey): Promise<Role> => {
    const known = builtIn.find(({ name }) => name === role)
    if (known) return known
    const row = await tx.organizationRole.findFirst({ where: { organizationId, ...(isUuid(role) ? { id: role } : { name: role }) } })
    if (!row) throw new Problem('not_found')
    return toRole(row)
  }
  /** A role of the organization's own that the caller may change. */
  const findOwn = async (tx: TransactionClient, actor: Actor, key: RoleKey) => {
    await lock(tx, key.organizationId)
    await holdAuthority(tx, [key.organizationId])
    const { id, ...role } = await find(tx, key)
    if (id === undefined) throw new Problem('role_built_in')
    await mustHoldRoles(tx, { actor, organizationId: key.organizationId, roles: [role] })
    return { ...role, id }
  }

  return {
    list: async organizationId => {
      const own = (await database.prisma.organizationRole.findMany({ where: { organizationId } })).map(toRole)
      // Not by the database: its order of letters may be any, and cursors compare.
      return [...builtIn, ...own.sort((a, b) => (a.name < b.name ? -1 : 1))]
    },
    get: key => find(database.prisma, key),
    create: (actor, { organizationId, name, description, permissions, resourceScopes = [] }) =>
      change(actor, async (tx, record) => {
        await lock(tx, organizationId)
        await mustHoldRoles(tx, { actor, organizationId, roles: [{ name, permissions, resourceScopes }] })
        await mustBeGrantable(tx, { organizationId, resourceScopes })
        if ((await tx.organizationRole.count({ where: { organizationId } })) >= maxRoles) throw new Problem('too_many_roles')
        mustBeFree(name)
        const row = await tx.organizationRole.create({
          data: { organizationId, name, description, permissions: [...permissions], resourceScopes: [...resourceScopes] },
        })
        record('role.created', { ...row, resource_scopes: row.resourceScopes }, { organizationId })
        return toRole(row)
      }),
    update: async (actor, key, { expect, ...changes }) => {
      const changed = toldNamesOf(changes)
      if (changed.length === 0) return unchanged(await find(database.prisma, key), expect)
      return change(actor, async (tx, record) => {
        const { organizationId } = key
        const before = await findOwn(tx, actor, key)
        expect?.(before)
        const { name = before.name, permissions = before.permissions, resourceScopes = before.resourceScopes } = changes
        await mustHoldRoles(tx, { actor, organizationId, roles: [{ name, permissions, resourceScopes }] })
        if (changes.resourceScopes) await mustBeGrantable(tx, { organizationId, resourceScopes })
        mustBeFree(name)
        const data = { ...changes, permissions: [...permissions], resourceScopes: [...resourceScopes] }
        const row = await tx.organizationRole.update({ where: { id: before.id }, data })
        if (name !== before.name) for (const handed of handedOutRoles) await handed.rename(tx, { organizationId, from: before.name, to: name })
        const previous = { previous_name: before.name, previous_permissions: before.permissions, previous_resource_scopes: before.resourceScopes }
        record('role.updated', { ...row, resource_scopes: row.resourceScopes, ...previous, changed }, { organizationId })
        return toRole(row)
      })
    },
    remove: (actor, key, { expect } = {}) =>
      change(actor, async (tx, record) => {
        const before = await findOwn(tx, actor, key)
        expect?.(before)
        const { id, name, permissions, resourceScopes } = before
        for (const handed of handedOutRoles) if (await handed.has(tx, { organizationId: key.organizationId, name })) throw new Problem('role_in_use')
        // The statement asks whether somebody has it, and the foreign key holds whatever came past the lock.
        const { count } = await tx.organizationRole.deleteMany({ where: { id, members: { none: {} } } })
        if (count === 0) throw new Problem('role_in_use')
        record('role.deleted', { id, name, permissions, resource_scopes: resourceScopes }, { organizationId: key.organizationId })
      }),
  }
}

const unchanged = (role: Role, expect?: Expect): Role => {
  expect?.(role)
  return role
}

const mustBeFree = (name: string) => {
  if (organizationRoles.some(one => one === name)) throw new Problem('role_name_taken')
}

interface Row {
  id: string
  name: string
  description: string | null
  permissions: string[]
  resourceScopes: string[]
  createdAt: Date
  updatedAt: Date
}

const toRole = ({ id, name, description, permissions, resourceScopes, createdAt, updatedAt }: Row): Role => ({
  id,
  name,
  description: description ?? undefined,
  permissions,
  resourceScopes,
  createdAt,
  updatedAt,
})
