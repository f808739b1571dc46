// Which users an administrator looks for, as the database is asked for them.
import type { Prisma } from '../platform/data/database.ts'
import { normalizeEmail } from './email.ts'
import type { userStatuses } from './user.ts'

/** Which users to list. */
export interface UserFilter {
  readonly email?: string
  readonly status?: (typeof userStatuses)[number]
  /** Part of an address or a name. */
  readonly q?: string
}

/** The rows that a filter lets through. */
export const toWhere = ({ email, status, q }: UserFilter): Prisma.UserWhereInput => ({
  ...(status === 'deleted' ? { deletedAt: { not: null } } : { deletedAt: null }),
  ...(status === 'suspended' ? { suspendedAt: { not: null } } : {}),
  ...(status === 'active' ? { suspendedAt: null } : {}),
  ...(email === undefined ? {} : { emailNormalized: normalizeEmail(email) ?? '' }),
  ...(q === undefined ? {} : { OR: [{ emailNormalized: { contains: likeText(q.toLowerCase()) } }, { name: { contains: likeText(q), mode: 'insensitive' } }] }),
})

// Prisma hands `%` and `_` on to LIKE, where they stand for anything.
const likeText = (text: string) => text.replace(/[\\%_]/g, '\\$&')
