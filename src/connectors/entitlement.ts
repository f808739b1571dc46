// Whether what an upstream provider says of an address is believed as if we had proven it ourselves.
import type { TransactionClient } from '../platform/data/database.ts'
import { normalizeEmail } from '../users/email.ts'
import type { Connection } from './connection.ts'
import type { UpstreamIdentity } from './connector.ts'
import { domainOf, normalizeDomain } from './domain-name.ts'
import { isProvenBy, isProvenByAnother } from './proven-domain.ts'

/** An address that the provider says it proved, and how far that goes. */
export interface ToldAddress {
  /** In its canonical form. */
  readonly email: string
  /** Whether it is believed. */
  readonly isEntitled: boolean
  /** Whether it lies in a domain that the connection's organization proved. */
  readonly isOfOrganization: boolean
}

/** Whether the connection speaks for an address of an account: by the domain, which its organization proved, or for whom it told. */
export const isEntitledTo = async (
  database: Finder,
  { connection, identity, email }: { readonly connection: Connection; readonly identity: UpstreamIdentity; readonly email: string },
): Promise<boolean> => {
  const told = await readAddress(database, { connection, identity })
  if (told?.email === email) return told.isEntitled
  const { organizationId } = connection
  const domain = domainOf(email)
  return organizationId !== undefined && domain !== undefined && isProvenBy(database, { organizationId, domain })
}

/** Whether another organization than the connection's speaks for an address. */
export const isOfAnother = async (database: Finder, { connection, email }: { readonly connection: Connection; readonly email: string }): Promise<boolean> => {
  const { organizationId } = connection
  const domain = domainOf(email)
  return organizationId !== undefined && domain !== undefined && isProvenByAnother(database, { organizationId, domain })
}

type Finder = Pick<TransactionClient, 'organizationDomain'>

/** Reads the address; `undefined` where there is none, or the provider does not say that it proved it. */
export const readAddress = async (
  database: Finder,
  { connection, identity }: { readonly connection: Connection; readonly identity: UpstreamIdentity },
): Promise<ToldAddress | undefined> => {
  const email = identity.email === undefined || identity.isEmailVerified !== true ? undefined : normalizeEmail(identity.email)
  if (email === undefined) return undefined
  const domain = domainOf(email)
  const { organizationId } = connection
  const isOfOrganization = organizationId !== undefined && domain !== undefined && (await isProvenBy(database, { organizationId, domain }))
  const own = identity.authoritativeDomain === undefined ? undefined : normalizeDomain(identity.authoritativeDomain)
  const isAuthoritative = own !== undefined && own === domain
  return { email, isOfOrganization, isEntitled: isAuthoritative || isOfOrganization || connection.trustsEmails }
}
