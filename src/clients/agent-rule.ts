// Whose agent a client may be that is made, or passes to another: decided while the owner's row is held, so that of two made at once the second counts the first.
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { maxAgents } from './agent.ts'
import type { NewClient } from './client.ts'

/** Throws `too_many_agents`, and `not_found` for an owner who is not there, or no member of the organization. */
export const mustBeOwnable = async (
  tx: TransactionClient,
  { ownerUserId, organizationId }: Pick<NewClient, 'ownerUserId' | 'organizationId'>,
): Promise<void> => {
  if (ownerUserId === undefined) return
  const owners = await tx.$queryRaw<unknown[]>`
    SELECT id FROM users WHERE id = ${ownerUserId}::uuid AND deleted_at IS NULL AND suspended_at IS NULL FOR NO KEY UPDATE`
  if (owners.length === 0) throw new Problem('not_found')
  if (organizationId !== undefined && (await tx.organizationMember.count({ where: { organizationId, userId: ownerUserId } })) === 0)
    throw new Problem('not_found')
  const held = organizationId === undefined ? { organizationId: null } : { organizationId }
  if ((await tx.client.count({ where: { ownerUserId, deletedAt: null, ...held } })) >= maxAgents) throw new Problem('too_many_agents')
}
