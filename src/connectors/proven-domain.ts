// Whether a domain is an organization's: proven, by one that lives.
import type { Prisma, TransactionClient } from '../platform/data/database.ts'

type Asked = Pick<TransactionClient, 'organizationDomain'>

const isProven = async ({ organizationDomain }: Asked, by: Pick<Prisma.OrganizationDomainWhereInput, 'organizationId' | 'domain'>): Promise<boolean> => {
  const where = { ...by, verifiedAt: { not: null }, organization: { deletedAt: null } }
  return (await organizationDomain.findFirst({ where, select: { id: true } })) !== null
}

/** Asks it of a domain in its normal form, where a change is under way in its transaction. */
export const isProvenBy = (asked: Asked, by: { readonly organizationId: string; readonly domain: string }): Promise<boolean> => isProven(asked, by)

/** Whether a domain is another organization's. */
export const isProvenByAnother = (asked: Asked, { organizationId, domain }: { readonly organizationId: string; readonly domain: string }): Promise<boolean> =>
  isProven(asked, { organizationId: { not: organizationId }, domain })
