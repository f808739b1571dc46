// What is to be done with somebody who came by another provider: looked up before anything is written, decided anew where it is.
//
// The pair of connection and subject is the key. An address leads to an account only where the provider is entitled to speak for it: then it
// proves the address as a mailed code does, and of an account that nobody proved before it is the first proof, which erases what strangers put
// in. Everything else is refused by one sentence, which tells nobody whether there is an account.
import type { Database } from '../platform/data/database.ts'
import type { Users } from '../users/users.ts'
import { readAddress, type ToldAddress } from './entitlement.ts'
import type { UpstreamProof } from './upstream.ts'

/** What is to be done, and who it is done to. */
export type Plan =
  | { readonly kind: 'known'; readonly userId: string }
  | { readonly kind: 'link'; readonly userId: string; readonly email: string; readonly isFirstProof: boolean }
  | { readonly kind: 'create'; readonly address: ToldAddress }
  | { readonly kind: 'refuse'; readonly reason: string; readonly userId?: string }

/** Somebody who comes from a provider to sign in. */
export interface UpstreamAttempt extends UpstreamProof {
  /** Whether the system, the client's organization and its invitations let somebody with this address have an account. */
  readonly maySignUp: (email: string) => Promise<boolean>
  /** Whose client they are to be signed in for; absent: nobody's. */
  readonly clientOrganizationId?: string | undefined
}

interface Needs {
  readonly database: Database
  readonly users: Users
}

/** Makes the plan. */
export const planFor = async (needs: Needs, attempt: UpstreamAttempt): Promise<Plan> => {
  const known = await findKnown(needs, attempt)
  if (known) return known
  const plan = await planForUnknown(needs, attempt)
  // The user who stands in the way may be they themselves, made by another of their sign-ins between the two looks.
  return plan.kind === 'refuse' ? ((await findKnown(needs, attempt)) ?? plan) : plan
}

// Whoever was deleted is nobody: what they were known by is free for whom it is told of next.
const findKnown = async ({ database }: Needs, { connection, identity: { subject } }: UpstreamAttempt): Promise<Plan | undefined> => {
  const where = { connectionId: connection.id, subject, user: { deletedAt: null } }
  const known = await database.prisma.identity.findFirst({ where, select: { userId: true } })
  return known ? { kind: 'known', userId: known.userId } : undefined
}

const planForUnknown = async ({ database, users }: Needs, { connection, identity, maySignUp }: UpstreamAttempt): Promise<Plan> => {
  const address = await readAddress(database.prisma, { connection, identity })
  if (!address) return { kind: 'refuse', reason: 'address_unverified' }
  const user = await users.findByEmail(address.email)
  if (user && !address.isEntitled) return { kind: 'refuse', reason: 'address_not_believed', userId: user.id }
  if (user) return { kind: 'link', userId: user.id, email: address.email, isFirstProof: !user.isEmailVerified }
  if (!connection.createsUsers) return { kind: 'refuse', reason: 'no_account' }
  const isAllowed = connection.organizationId === undefined ? await maySignUp(address.email) : address.isOfOrganization
  return isAllowed ? { kind: 'create', address } : { kind: 'refuse', reason: 'sign_up_closed' }
}
