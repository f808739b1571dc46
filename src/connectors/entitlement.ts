// Whether what an upstream provider says of an address is believed as if we had proven it ourselves.
import type { TransactionClient } from '../platform/data/database.ts'
import { normalizeEmail } from '../users/email.ts'
import type { Connection } from './connection.ts'
import type { UpstreamIdentity } from './connector.ts'

/** An address that the provider says it proved, and how far that goes. */
export interface ToldAddress {
  /** In its canonical form. */
  readonly email: string
  /** Whether it is believed. */
  readonly isEntitled: boolean
  /** Whether it lies in a domain that the connection's organization proved. */
  readonly isOfOrganization: boolean
}

type Finder = Pick<TransactionClient, 'organizationDomain'>

/** Reads the address; `undefined` where there is none, or the provider does not say that it proved it. */
export const readAddress = async (
  database: Finder,
  { connection, identity }: { readonly connection: Connection; readonly identity: UpstreamIdentity },
): Promise<ToldAddress | undefined> => {
  const email = identity.email === undefined || identity.isEmailVerified !== true ? undefined : normalizeEmail(identity.email)
  if (email === undefined) return undefined
  const domain = email.slice(email.lastIndexOf('@') + 1)
  const isOfOrganization = await isProven(database, { organizationId: connection.organizationId, domain })
  // The domain is read as that of any address is: in small letters and ASCII.
  const own = identity.authoritativeDomain === undefined ? undefined : normalizeEmail(`x@${identity.authoritativeDomain}`)
  return { email, isOfOrganization, isEntitled: own === `x@${domain}` || isOfOrganization || connection.trustsEmails }
}

const isProven = async (database: Finder, { organizationId, domain }: { organizationId: string | undefined; domain: string }): Promise<boolean> => {
  if (organizationId === undefined) return false
  return (await database.organizationDomain.findFirst({ where: { organizationId, domain, verifiedAt: { not: null } }, select: { id: true } })) !== null
}
