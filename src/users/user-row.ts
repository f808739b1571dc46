// Turns the rows of users into users.
import { factorStrikes } from './factor-strikes.ts'
import { type User, userIdSchema } from './user.ts'

/** A row as raw statements read it. */
export interface UserRow {
  id: string
  email: string
  email_verified_at: Date | null
  name: string | null
  picture: string | null
  locale: string | null
  system_role: string | null
  suspended_at: Date | null
  factor_strikes: unknown
  created_at: Date
  updated_at: Date
  deleted_at?: Date | null
}

interface PrismaRow {
  id: string
  email: string
  emailVerifiedAt: Date | null
  name: string | null
  picture: string | null
  locale: string | null
  systemRole: string | null
  suspendedAt: Date | null
  factorStrikes: unknown
  createdAt: Date
  updatedAt: Date
  deletedAt: Date | null
}

/** The columns of a {@link UserRow}. */
export const userColumns = 'id, email, email_verified_at, name, picture, locale, system_role, suspended_at, factor_strikes, created_at, updated_at'

/** Of a raw row. */
export const toUser = (row: UserRow): User => ({
  id: userIdSchema.parse(row.id),
  email: row.email,
  isEmailVerified: row.email_verified_at !== null,
  name: row.name ?? undefined,
  picture: row.picture ?? undefined,
  locale: row.locale ?? undefined,
  isAdmin: row.system_role === 'admin',
  isSuspended: row.suspended_at !== null,
  factorStrikes: row.factor_strikes === null ? undefined : factorStrikes.parse(row.factor_strikes),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  deletedAt: row.deleted_at ?? undefined,
})

/** Of a row as Prisma reads it. */
export const fromPrisma = (row: PrismaRow): User =>
  toUser({
    ...row,
    email_verified_at: row.emailVerifiedAt,
    system_role: row.systemRole,
    suspended_at: row.suspendedAt,
    factor_strikes: row.factorStrikes,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    deleted_at: row.deletedAt,
  })
