// Whether a domain is an organization's: proven, by one that lives.
import type { TransactionClient } from '../platform/data/database.ts'

/** Asks it of a domain in its normal form, where a change is under way in its transaction. */
export const isProvenBy = async (
  { organizationDomain }: Pick<TransactionClient, 'organizationDomain'>,
  { organizationId, domain }: { readonly organizationId: string; readonly domain: string },
): Promise<boolean> => {
  const where = { organizationId, domain, verifiedAt: { not: null }, organization: { deletedAt: null } }
  return (await organizationDomain.findFirst({ where, select: { id: true } })) !== null
}

/** Whether a domain is another organization's. */
export const isProvenByAnother = async (
  { organizationDomain }: Pick<TransactionClient, 'organizationDomain'>,
  { organizationId, domain }: { readonly organizationId: string; readonly domain: string },
): Promise<boolean> => {
  const where = { organizationId: { not: organizationId }, domain, verifiedAt: { not: null }, organization: { deletedAt: null } }
  return (await organizationDomain.findFirst({ where, select: { id: true } })) !== null
}
