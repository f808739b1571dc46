// Which connections can be used: enabled ones of the system or of a living organization.
import type { Prisma } from '../platform/data/database.ts'

/** The condition on the rows of those that are not deleted. */
export const existing = { deletedAt: null, OR: [{ organizationId: null }, { organization: { deletedAt: null } }] } satisfies Prisma.ConnectionWhereInput

/** The condition on their rows. */
export const usable = { ...existing, disabledAt: null } satisfies Prisma.ConnectionWhereInput
