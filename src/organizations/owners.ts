// Who owns an organization, so that none loses its last owner, on whatever process whoever leaves or goes.
//
// Locks are taken in one order: the organization, then people, then what is theirs, the log last. Whoever deletes or suspends a person locks their row
// FOR UPDATE (src/users/end-access.ts); whoever counts on one as an owner, or makes one, locks it FOR KEY SHARE here: either they see that
// the person is gone, or whoever takes them away sees the organization that is theirs.
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { GuardRemoval } from '../users/user.ts'

interface Owner {
  readonly organizationId: string
  readonly userId: string
}

/** Throws `last_owner` where nobody else who may act owns the organization; it has to be locked, or the person's row. */
export const guardLastOwner = async (tx: TransactionClient, { organizationId, userId }: Owner): Promise<void> => {
  const others = await tx.$queryRaw<unknown[]>`
    SELECT u.id FROM organization_members m JOIN users u ON u.id = m.user_id
    WHERE m.organization_id = ${organizationId}::uuid AND m.role = 'owner' AND m.user_id <> ${userId}::uuid AND u.deleted_at IS NULL AND u.suspended_at IS NULL
    ORDER BY u.id LIMIT 1 FOR KEY SHARE OF u`
  if (others.length === 0) throw new Problem('last_owner')
}

/** A living person, who is not deleted until the change ends; to be asked for whoever becomes a member or an owner. Throws `not_found`. */
export const keepPerson = async (tx: TransactionClient, userId: string): Promise<void> => {
  const found = await tx.$queryRaw<unknown[]>`SELECT id FROM users WHERE id = ${userId}::uuid AND deleted_at IS NULL FOR KEY SHARE`
  if (found.length === 0) throw new Problem('not_found')
}

/** Locks what the person owns, before their row and anybody's. */
export const lockOwned: GuardRemoval = async (tx, userId) => {
  await tx.$executeRaw`
    SELECT 1 FROM organizations o JOIN organization_members m ON m.organization_id = o.id
    WHERE m.user_id = ${userId}::uuid AND m.role = 'owner' AND o.deleted_at IS NULL ORDER BY o.id FOR NO KEY UPDATE OF o`
}

/** Throws `last_owner`; to be asked once the person's row is locked: what they own now, also what they came to own before that, cannot change. Locks no organization, as that comes first. */
export const guardRemoval: GuardRemoval = async (tx, userId) => {
  const owned = await tx.organizationMember.findMany({
    where: { userId, role: 'owner', organization: { deletedAt: null } },
    select: { organizationId: true },
    orderBy: { organizationId: 'asc' },
  })
  for (const { organizationId } of owned) await guardLastOwner(tx, { organizationId, userId })
}
