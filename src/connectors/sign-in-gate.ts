// Whether a user of ours may be signed in by a connection, decided in the transaction that signs them in.
//
// A connection of an organization speaks for its own people alone: for who is a member, or has an address of a domain that the organization
// proved, and by it becomes one. The system's administrators are nobody's people. Of a member whose address is not its own to speak for it says who
// they are to itself alone, and nothing where another organization proved the domain.
import type { AcceptProof } from '../authentication/accept-proof.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { isEntitledTo, isOfAnother, readAddress } from './entitlement.ts'
import { type JoinOrganization, joinBy } from './join.ts'
import { Refusal, refused } from './refusal.ts'
import type { UpstreamProof } from './upstream.ts'
import type { VerifyConnection } from './verify-connection.ts'

interface Entering extends UpstreamProof {
  readonly userId: string
  /** The address by which they are to be linked: it must be theirs still. */
  readonly linkedBy: string | undefined
  /** Whether that proves the address for the first time. */
  readonly isFirstProof: boolean
  /** Whose client they are to be signed in for; absent: nobody's. */
  readonly clientOrganizationId?: string | undefined
}

interface Within {
  readonly tx: TransactionClient
  readonly record: RecordEvent
  readonly join: JoinOrganization
  readonly verifyConnection: VerifyConnection
  readonly acceptProof: AcceptProof
}

/**
 * Answers the organization for which alone the sign-in is good; `undefined`: for all. Throws `upstream_unlinked`, `upstream_confined`,
 * `connection_gone`, and `conflict` where another look may tell more. The user's row stays locked.
 */
export const passGate = async (
  { tx, record, join, verifyConnection, acceptProof }: Within,
  { connection, identity, userId, linkedBy, isFirstProof, clientOrganizationId }: Entering,
): Promise<string | undefined> => {
  const { organizationId } = connection
  const isJoining = organizationId !== undefined && !(await isMember(tx, { organizationId, userId }))
  const address = isJoining ? await readAddress(tx, { connection, identity }) : undefined
  if (isJoining && !address?.isOfOrganization) throw refused('not_a_member', userId)
  if (isJoining) await joinBy({ join, tx, record }, { connection, identity, userId })
  await verifyConnection(tx, connection)
  if (linkedBy !== undefined && isFirstProof) await acceptProof(tx, record, { userId, email: linkedBy }).catch(lookAgain)
  const user = await lockLiving(tx, userId)
  if (organizationId !== undefined && user.isAdmin) throw refused('administrator', userId)
  if (linkedBy !== undefined && linkedBy !== user.verifiedEmail) throw new Problem('conflict')
  if (address && address.email !== user.verifiedEmail) throw refused('not_a_member', userId)
  if (await isOfAnother(tx, { connection, email: user.email })) throw refused('domain_of_another', userId)
  if (organizationId === undefined || (await isEntitledTo(tx, { connection, identity, email: user.email }))) return undefined
  if (clientOrganizationId !== organizationId) throw new Problem('upstream_confined', { cause: new Refusal('confined', userId) })
  return organizationId
}

// The account changed between the two looks.
const lookAgain = (error: unknown): never => {
  throw error instanceof Problem && error.code === 'proof_expired' ? new Problem('conflict', { cause: error }) : error
}

// Whoever removes them waits until they are signed in, and then removes what was linked.
const isMember = async (tx: TransactionClient, { organizationId, userId }: { organizationId: string; userId: string }): Promise<boolean> => {
  const found = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM organization_members WHERE organization_id = ${organizationId}::uuid AND user_id = ${userId}::uuid FOR KEY SHARE`
  return found.length > 0
}

// In turn with whatever suspends or deletes the user, moves their address, or makes them an administrator.
const lockLiving = async (tx: TransactionClient, userId: string): Promise<{ email: string; verifiedEmail: string | null; isAdmin: boolean }> => {
  const [found] = await tx.$queryRaw<{ isLiving: boolean; isAdmin: boolean; email: string; verifiedEmail: string | null }[]>`
    SELECT deleted_at IS NULL AND suspended_at IS NULL AS "isLiving", system_role IS NOT NULL AS "isAdmin", email_normalized AS email,
           CASE WHEN email_verified_at IS NOT NULL THEN email_normalized END AS "verifiedEmail"
    FROM users WHERE id = ${userId}::uuid FOR SHARE`
  if (!found) throw new Problem('conflict')
  if (!found.isLiving) throw refused('account_ended', userId)
  return found
}
