// A role by the name under which it is handed out.
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { PermissionsOf } from './holding.ts'
import { organizationRoles } from './organization.ts'

/** Whether every organization has the role. */
export const isBuiltIn = (role: string): boolean => organizationRoles.some(one => one === role)

/** A role by its name: what a member's row keeps of it, and what it allows. Throws `validation_failed` for one that the organization lacks. */
export const findRole = async (
  tx: TransactionClient,
  { organizationId, role, permissionsOf }: { organizationId: string; role: string; permissionsOf: PermissionsOf },
) => {
  if (isBuiltIn(role)) return { columns: { role, roleId: null }, handed: { name: role, permissions: permissionsOf(role), resourceScopes: [] } }
  const handed = await tx.organizationRole.findFirst({ where: { organizationId, name: role } })
  if (!handed) throw new Problem('validation_failed', { fields: [{ path: 'role', message: 'The organization has no such role.' }] })
  return { columns: { role: null, roleId: handed.id }, handed }
}
