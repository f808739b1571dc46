// Whether a caller holds what they are about to hand out, asked while the organization is locked.
import { type Actor, can } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'

/** What a built-in role may do; nothing for a name that is none. */
export type PermissionsOf = (builtInRole: string) => ReadonlySet<string>

/** A role as it is handed out. */
export interface HandedRole {
  readonly name: string
  readonly permissions: Iterable<string>
  /** Scopes of resource servers, each `identifier scope`. */
  readonly resourceScopes: Iterable<string>
}

interface Handing {
  readonly actor: Actor
  readonly organizationId: string
  readonly roles: readonly HandedRole[]
}

/** Throws `forbidden` where the roles hold more than the caller does, and where somebody who is no owner would make or touch one. */
export type MustHoldRoles = (tx: TransactionClient, handing: Handing) => Promise<void>

/** A member's row with the role it may refer to. */
export interface RoleRow {
  readonly role: string | null
  readonly customRole: { readonly name: string; readonly permissions: readonly string[]; readonly resourceScopes: readonly string[] } | null
}

/** The role of a member's row. */
export const roleOf = ({ role, customRole }: RoleRow, permissionsOf: PermissionsOf): HandedRole & { readonly permissions: ReadonlySet<string> } =>
  customRole
    ? { name: customRole.name, permissions: new Set(customRole.permissions), resourceScopes: customRole.resourceScopes }
    : { name: role ?? '', permissions: permissionsOf(role ?? ''), resourceScopes: [] }

/**
 * Makes the check. The system's administrators and the server itself hold all. A person's own role is read here, where the
 * organization is locked: who was just demoted holds it no more. A key or an app holds what it was given, never more.
 * Scopes of resource servers are given by who has them by their own role, or says what they mean: may write resource servers there.
 */
export const createMustHoldRoles =
  (permissionsOf: PermissionsOf): MustHoldRoles =>
  async (tx, { actor, organizationId, roles }) => {
    if (actor.kind === 'system') return
    const row = actor.userId === undefined ? null : await tx.organizationMember.findFirst({ where: { organizationId, userId: actor.userId }, include })
    const own = row ? roleOf(row, permissionsOf) : undefined
    const holds = (permission: string) =>
      actor.permissions.has(permission) ||
      (can(actor, permission, organizationId) && (actor.userId === undefined || (own?.permissions.has(permission) ?? false)))
    const isOfSystem = [...permissionsOf('owner')].every(permission => actor.permissions.has(permission))
    const ownScopes = new Set(own?.resourceScopes)
    const holdsScopes = (scopes: Iterable<string>) => holds('resource_servers:write') || [...scopes].every(scope => ownScopes.has(scope))
    for (const { name, permissions, resourceScopes } of roles) {
      if (name === 'owner' && own?.name !== 'owner' && !isOfSystem) throw new Problem('forbidden')
      if (![...permissions].every(holds) || !holdsScopes(resourceScopes)) throw new Problem('forbidden')
    }
  }

const include = { customRole: { select: { name: true, permissions: true, resourceScopes: true } } } as const
