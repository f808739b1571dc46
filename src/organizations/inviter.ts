// What an invitation still gives, asked when somebody follows it: nobody's invitation outlives the right by which they made it.
import { type Actor, can } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { findRole } from './find-role.ts'
import { type MustHoldRoles, type PermissionsOf, roleOf } from './holding.ts'

interface Made {
  readonly organizationId: string
  readonly role: string
  readonly invitedBy: string | null
}

interface Needs {
  readonly permissionsOf: PermissionsOf
  /** What a role of the system may do. */
  readonly systemPermissionsOf: (systemRole: string | null) => ReadonlySet<string>
  readonly mustHoldRoles: MustHoldRoles
}

/** The role as a member's row keeps it; `undefined` where it is gone, or where who invited may not hand it out as it is now. */
export type FindGiven = (tx: TransactionClient, invitation: Made) => Promise<Awaited<ReturnType<typeof findRole>>['columns'] | undefined>

/** Makes it. What no person made, but a machine or the server, is good as it is. */
export const createFindGiven = ({ permissionsOf, systemPermissionsOf, mustHoldRoles }: Needs): FindGiven => {
  const findInviter = async (tx: TransactionClient, { id, organizationId }: { id: string; organizationId: string }): Promise<Actor | undefined> => {
    const memberships = { where: { organizationId }, include: { customRole: true } }
    const user = await tx.user.findFirst({ where: { id, deletedAt: null, suspendedAt: null }, select: { systemRole: true, memberships } })
    if (!user) return undefined
    const held = user.memberships.map(row => roleOf(row, permissionsOf))
    return {
      kind: 'user',
      id,
      userId: id,
      permissions: systemPermissionsOf(user.systemRole),
      memberships: new Map(held.map(({ name, permissions }) => [organizationId, { role: name, permissions }])),
    }
  }
  return async (tx, { organizationId, role, invitedBy }) => {
    try {
      const { columns, handed } = await findRole(tx, { organizationId, role, permissionsOf })
      if (invitedBy === null) return columns
      const inviter = await findInviter(tx, { id: invitedBy, organizationId })
      if (!inviter || !can(inviter, 'members:write', organizationId)) return undefined
      await mustHoldRoles(tx, { actor: inviter, organizationId, roles: [handed] })
      return columns
    } catch (error) {
      if (error instanceof Problem && ['validation_failed', 'forbidden'].includes(error.code)) return undefined
      throw error
    }
  }
}
