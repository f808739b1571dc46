// Gives way to whoever proves an address: an account that holds it and never proved it is deleted, as anybody could have made it.
import type { AgentsOfOwners } from '../clients/agents-of-owners.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { Prisma, TransactionClient } from '../platform/data/database.ts'
import type { EndAccess } from './user.ts'

/** An address that was proven a moment ago, and the user to whom it is to belong. */
export interface ProvenAddress {
  /** In its canonical form. */
  readonly email: string
  readonly userId: string
}

/**
 * Deletes softly, and with an event of its own, another living user who holds the address unproven; answers whom. One who proved it, or
 * an administrator of the system, keeps it: then the unique index refuses the change with `email_taken`. To be called in the
 * transaction that gives the address.
 */
export type EvictUnproven = (tx: TransactionClient, record: RecordEvent, address: ProvenAddress) => Promise<string | undefined>

/** Who yields: administrators are made by administrators alone, and never by a stranger in somebody's name. */
export const isYielding = { deletedAt: null, emailVerifiedAt: null, systemRole: null } satisfies Prisma.UserWhereInput

interface Needs {
  readonly endAccess: EndAccess
  readonly agentsOfOwners: Pick<AgentsOfOwners, 'end'>
  readonly now: () => Date
}

/** Makes it. The last owner of an organization yields too: anybody makes an organization, and would hold the address by it. */
export const createEvictUnproven =
  ({ endAccess, agentsOfOwners, now }: Needs): EvictUnproven =>
  async (tx, record, { email, userId }) => {
    const where = { ...isYielding, emailNormalized: email, id: { not: userId } }
    const [evicted] = await tx.user.updateManyAndReturn({ where, data: { deletedAt: now() } })
    if (!evicted) return undefined
    await agentsOfOwners.end(tx, record, { userId: evicted.id })
    await endAccess(tx, evicted.id)
    record('user.deleted', { ...evicted, reason: 'address_proven_by_another' })
    return evicted.id
  }
