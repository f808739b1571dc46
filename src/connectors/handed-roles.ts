// The roles that an organization's connections hand out, as the roles themselves change: who joins never gets another than was said.
import type { HandedOutRoles } from '../organizations/role.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { membershipSchema, rolesOf } from './connection.ts'

/** The roles of connections, those of deleted ones too, for they may come back. The organization has to be locked. */
export const handedOutRoles: HandedOutRoles = {
  has: async (tx, { organizationId, name }) => (await findRules(tx, organizationId)).some(({ rule }) => rolesOf(rule).includes(name)),
  rename: async (tx, { organizationId, from, to }) => {
    const renamed = (name: string) => (name === from ? to : name)
    for (const { id, rule } of await findRules(tx, organizationId)) {
      if (!rolesOf(rule).includes(from)) continue
      const roles = rule.roles.map(({ value, role }) => ({ value, role: renamed(role) }))
      await tx.connection.update({ where: { id }, data: { membership: { ...rule, default: renamed(rule.default), roles } } })
    }
  },
}

const findRules = async (tx: TransactionClient, organizationId: string) => {
  const rows = await tx.connection.findMany({ where: { organizationId }, select: { id: true, membership: true } })
  return rows.map(({ id, membership }) => ({ id, rule: membershipSchema.parse(membership) }))
}
