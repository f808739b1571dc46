// The roles that open invitations give, as the roles themselves change: who accepts never gets another than was said.
import type { HandedOutRoles } from './role.ts'

/** Makes it. The organization has to be locked. */
export const createInvitedRoles = ({ now }: { now: () => Date }): HandedOutRoles => ({
  has: async (tx, { organizationId, name }) => {
    const where = { organizationId, role: name, acceptedAt: null, revokedAt: null, expiresAt: { gt: now() } }
    return (await tx.invitation.count({ where })) > 0
  },
  rename: async (tx, { organizationId, from, to }) => {
    await tx.invitation.updateMany({ where: { organizationId, role: from, acceptedAt: null, revokedAt: null }, data: { role: to } })
  },
})
