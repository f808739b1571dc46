// People: made here, found here; for tokens a user is remembered for a second.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { mustAdminister } from './admins.ts'
import { normalizeEmail, parseEmail } from './email.ts'
import { type NewUser, type User, userIdSchema } from './user.ts'
import { fromPrisma, toUser, type UserRow, userColumns } from './user-row.ts'

/** The users of the system. */
export interface Users {
  /** Throws `validation_failed` for an address that is none, `email_taken` for one in use, and `forbidden` for an administrator made by who is none. `also` is done in the same commit. */
  create(actor: Actor, user: NewUser, also?: (tx: TransactionClient, userId: string, record: RecordEvent) => Promise<void>): Promise<User>
  /** A user that is not deleted; at most a second old. */
  find(id: string): Promise<User | undefined>
  /** By the address in any spelling. */
  findByEmail(email: string): Promise<User | undefined>
  /** Looks again at the next {@link Users.find}: the user was changed elsewhere. */
  forget(id: string): void
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
}

const byId = statement('user-by-id', `SELECT ${userColumns} FROM users WHERE id = $1 AND deleted_at IS NULL`)
const byEmail = statement('user-by-email', `SELECT ${userColumns} FROM users WHERE email_normalized = $1 AND deleted_at IS NULL`)

/** Makes the service. */
export const createUsers = ({ database, change, now }: Needs): Users => {
  const memo = createMemo<User | undefined>({
    ttlMilliseconds: 1000,
    now,
    load: async id => (await database.run<UserRow>(byId, [id])).map(toUser)[0],
  })
  return {
    create: async (actor, { email, name, picture, locale, isEmailVerified = false, isAdmin = false }, also) => {
      mustAdminister(actor, { isAdmin })
      const emailNormalized = parseEmail(email)
      const user = await change(actor, async (tx, record) => {
        const row = await tx.user.create({
          data: {
            email: email.trim(),
            emailNormalized,
            name,
            picture,
            locale,
            emailVerifiedAt: isEmailVerified ? now() : null,
            systemRole: isAdmin ? 'admin' : null,
          },
        })
        await also?.(tx, row.id, record)
        record('user.created', row)
        return row
      })
      return fromPrisma(user)
    },
    forget: memo.forget,
    find: async given => {
      const id = userIdSchema.safeParse(given).data
      return id === undefined ? undefined : memo.get(id)
    },
    findByEmail: async email => {
      const normalized = normalizeEmail(email)
      return normalized === undefined ? undefined : (await database.run<UserRow>(byEmail, [normalized])).map(toUser)[0]
    },
  }
}
