// Which connections can be used: enabled ones of the system or of a living organization.
import type { Prisma } from '../platform/data/database.ts'

/** The condition on their rows. */
export const usable = {
  deletedAt: null,
  disabledAt: null,
  OR: [{ organizationId: null }, { organization: { deletedAt: null } }],
} satisfies Prisma.ConnectionWhereInput
