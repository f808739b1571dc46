// Whether a caller holds the roles that they set to be handed out, by their names.
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { findRole } from './find-role.ts'
import type { HandedRole, MustHoldRoles, PermissionsOf } from './holding.ts'

interface Handing {
  readonly actor: Actor
  readonly organizationId: string
  /** Names that have to be roles of the organization. */
  readonly given: readonly string[]
  /** Names that were roles once: for one that is no more, `member` is handed out. */
  readonly kept: readonly string[]
}

/** Throws `forbidden` where one holds more than the caller does, and `validation_failed` at `membership` for one that the organization lacks. */
export type MustHoldRoleNames = (tx: TransactionClient, handing: Handing) => Promise<void>

/** Makes the check; the organization has to be locked. */
export const createMustHoldRoleNames = ({
  permissionsOf,
  mustHoldRoles,
}: {
  permissionsOf: PermissionsOf
  mustHoldRoles: MustHoldRoles
}): MustHoldRoleNames => {
  const find = async (tx: TransactionClient, { organizationId, role }: { organizationId: string; role: string }): Promise<HandedRole | undefined> => {
    try {
      return (await findRole(tx, { organizationId, role, permissionsOf })).handed
    } catch (error) {
      if (error instanceof Problem && error.code === 'validation_failed') return undefined // it is told by its place in the caller's own words
      throw error
    }
  }
  return async (tx, { actor, organizationId, given, kept }) => {
    const roles: HandedRole[] = []
    for (const role of new Set([...given, ...kept])) {
      const found = await find(tx, { organizationId, role })
      if (!found && given.includes(role))
        throw new Problem('validation_failed', { fields: [{ path: 'membership', message: `names “${role}”, which is no role of the organization` }] })
      roles.push(found ?? { name: 'member', permissions: permissionsOf('member'), resourceScopes: [] })
    }
    await mustHoldRoles(tx, { actor, organizationId, roles })
  }
}
