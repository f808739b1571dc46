// People: made here, found here; for tokens a user is remembered for a second.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from './email.ts'
import { type NewUser, type User, type UserId, userIdSchema } from './user.ts'

/** The users of the system. */
export interface Users {
  /** Throws `validation_failed` for an address that is none and `email_taken` for one in use. */
  create(actor: Actor, user: NewUser): Promise<User>
  /** A user that is not deleted; at most a second old. */
  find(id: string): Promise<User | undefined>
  /** By the address in any spelling. */
  findByEmail(email: string): Promise<User | undefined>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
}

interface UserRow {
  id: string
  email: string
  email_verified_at: Date | null
  name: string | null
  picture: string | null
  locale: string | null
  system_role: string | null
  suspended_at: Date | null
  updated_at: Date
}

const columns = 'id, email, email_verified_at, name, picture, locale, system_role, suspended_at, updated_at'
const byId = statement('user-by-id', `SELECT ${columns} FROM users WHERE id = $1 AND deleted_at IS NULL`)
const byEmail = statement('user-by-email', `SELECT ${columns} FROM users WHERE email_normalized = $1 AND deleted_at IS NULL`)

/** Makes the service. */
export const createUsers = ({ database, change, now }: Needs): Users => {
  const memo = createMemo<User | undefined>({
    ttlMilliseconds: 1000,
    now,
    load: async id => (await database.run<UserRow>(byId, [id])).map(toUser)[0],
  })
  return {
    create: async (actor, { email, name, isEmailVerified = false, isAdmin = false }) => {
      const emailNormalized = normalizeEmail(email)
      if (!emailNormalized) throw new Problem('validation_failed', { fields: [{ path: 'email', message: 'This is not an email address.' }] })
      const user = await change(actor, async (tx, record) => {
        const row = await tx.user.create({
          data: { email: email.trim(), emailNormalized, name, emailVerifiedAt: isEmailVerified ? now() : null, systemRole: isAdmin ? 'admin' : null },
        })
        record('user.created', row)
        return row
      })
      return toUser({
        ...user,
        email_verified_at: user.emailVerifiedAt,
        system_role: user.systemRole,
        suspended_at: user.suspendedAt,
        updated_at: user.updatedAt,
      })
    },
    find: async id => (userIdSchema.safeParse(id).success ? memo.get(id) : undefined),
    findByEmail: async email => {
      const normalized = normalizeEmail(email)
      return normalized === undefined ? undefined : (await database.run<UserRow>(byEmail, [normalized])).map(toUser)[0]
    },
  }
}

const toUser = (row: UserRow): User => ({
  id: userIdSchema.parse(row.id) satisfies UserId,
  email: row.email,
  isEmailVerified: row.email_verified_at !== null,
  name: row.name ?? undefined,
  picture: row.picture ?? undefined,
  locale: row.locale ?? undefined,
  isAdmin: row.system_role === 'admin',
  isSuspended: row.suspended_at !== null,
  updatedAt: row.updated_at,
})
