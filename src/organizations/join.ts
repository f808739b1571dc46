// Makes somebody a member because a provider of the organization's own says that they belong to it.
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { findRole } from './find-role.ts'
import type { PermissionsOf } from './holding.ts'
import { organizationIdSchema } from './organization.ts'

interface Needs {
  /** Throws `not_found` for an organization that is not there. */
  readonly lock: (tx: TransactionClient, id: ReturnType<typeof organizationIdSchema.parse>) => Promise<unknown>
  readonly permissionsOf: PermissionsOf
}

/** Joins in a change's own transaction whoever is no member; a role that is gone by now is `member`. Throws `not_found`. */
export const createJoinOrganization =
  ({ lock, permissionsOf }: Needs) =>
  async (tx: TransactionClient, record: RecordEvent, { organizationId, userId, role }: { organizationId: string; userId: string; role: string }) => {
    const known = await tx.organizationMember.findUnique({ where: { organizationId_userId: { organizationId, userId } }, select: { userId: true } })
    if (known) return
    await lock(tx, organizationIdSchema.parse(organizationId))
    const { columns, handed } = await findRole(tx, { organizationId, role, permissionsOf }).catch(error => {
      if (!(error instanceof Problem && error.code === 'validation_failed')) throw error
      return findRole(tx, { organizationId, role: 'member', permissionsOf })
    })
    const { count } = await tx.organizationMember.createMany({ data: { organizationId, userId, ...columns }, skipDuplicates: true })
    if (count > 0) record('organization.member_added', { id: userId, role: handed.name }, { organizationId })
  }
