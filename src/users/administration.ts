// Users as their administrators see and change them: also those who are suspended or deleted.
import type { Challenges } from '../challenges/challenges.ts'
import type { AgentsOfOwners } from '../clients/agents-of-owners.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, Prisma, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import { mustAdminister } from './admins.ts'
import { normalizeEmail, parseEmail } from './email.ts'
import { lockAuthority } from './end-access.ts'
import { createLeaveAddress } from './left-address.ts'
import { createPurgeUsers } from './purge.ts'
import type { EndAccess, GuardRemoval, User, UserChanges, UserId } from './user.ts'
import { toWhere, type UserFilter } from './user-filter.ts'
import { fromPrisma } from './user-row.ts'

/** Called with the version of what is about to be changed; throws where the caller meant another. */
type Expect = (version: Date) => void

// What everybody may change of themselves.
const ownChanges: ReadonlySet<string> = new Set(['full_name', 'picture', 'locale'])

type Within = (tx: TransactionClient, deletedAt: Date) => Promise<void>

/**
 * The administration of users. Each change throws `not_found` for a user that is not there, and `forbidden` where an
 * administrator of the system is touched, made or unmade by who is none. One who comes without that permission, as to the account centre,
 * changes what everybody changes of themselves, and deletes their own account.
 */
export interface UserAdministration {
  list(filter: UserFilter, page: PageRequest): Promise<Found<User>>
  get(id: UserId): Promise<User>
  /** Throws `email_taken`, and `last_admin` where nobody would be left. Links mailed to an address that is left are void, and its reader is told. */
  update(actor: Actor, id: UserId, changes: UserChanges & { readonly expect?: Expect }): Promise<User>
  suspend(actor: Actor, id: UserId, options?: { readonly expect?: Expect }): Promise<User>
  activate(actor: Actor, id: UserId, options?: { readonly expect?: Expect }): Promise<User>
  /**
   * Softly; throws `last_admin` and `last_owner` where nobody would be left. What else belongs to the deletion is done `within` its
   * transaction. `isOwn` where people delete themselves.
   */
  remove(actor: Actor, id: UserId, options?: { readonly expect?: Expect; readonly within?: Within; readonly isOwn?: boolean }): Promise<void>
  /** Throws `email_taken` when the address has been taken meanwhile. */
  restore(actor: Actor, id: UserId): Promise<User>
  /** Ends whatever the user is signed in with. */
  endSessions(actor: Actor, id: UserId): Promise<void>
  /** Forgets for good who was deleted long ago; answers how many. */
  purge(actor: Actor, batch: number): Promise<number>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
  readonly forget: (id: string) => void
  readonly endAccess: EndAccess
  /** Locks what the person owns, before their row. */
  readonly lockOwned: GuardRemoval
  /** Asked once the person's row is locked. */
  readonly guardRemoval: GuardRemoval
  readonly agentsOfOwners: AgentsOfOwners
  readonly challenges: Challenges
  readonly notify: PostNotice
}

/** Makes the service. */
export const createUserAdministration = (needs: Needs): UserAdministration => {
  const { database, change, now, forget, endAccess, lockOwned, guardRemoval, agentsOfOwners } = needs
  const leaveAddress = createLeaveAddress(needs)
  const changeUser = async (actor: Actor, id: UserId, work: (tx: TransactionClient, record: RecordEvent) => Promise<User>): Promise<User> => {
    const user = await change(actor, work)
    forget(id)
    return user
  }

  const lock = async (tx: TransactionClient, actor: Actor, id: UserId, { isOwn = false } = {}): Promise<User> => {
    const user = await lockUser(tx, id)
    if (!isOwn || actor.userId !== id) mustAdminister(actor, user)
    return user
  }
  const get = async (id: UserId): Promise<User> => {
    const row = await database.prisma.user.findFirst({ where: { id, deletedAt: null } })
    if (!row) throw new Problem('not_found')
    return fromPrisma(row)
  }

  return {
    list: async (filter, page) => {
      const where = toWhere(filter)
      const [rows, total] = await Promise.all([database.prisma.user.findMany(pageOf(where, page)), database.prisma.user.count({ where })])
      return { rows: rows.map(fromPrisma), total }
    },
    get,
    update: async (actor, id, { expect, ...changes }) => {
      const changed = toldNamesOf(changes, { name: 'full_name', isAdmin: 'system_role' })
      if (changed.length === 0) return expected(await get(id), expect)
      return changeUser(actor, id, async (tx, record) => {
        const before = expected(await lock(tx, actor, id, { isOwn: changed.every(name => ownChanges.has(name)) }), expect)
        mustAdminister(actor, changes)
        if (before.isAdmin && changes.isAdmin === false) {
          await guardLastAdmin(tx, id)
          await lockAuthority(tx, id)
        }
        const row = await tx.user.update({ where: { id }, data: toData(changes, { before, now: now() }) })
        if (isMoved(changes, before)) await leaveAddress(tx, { actor, before, to: row.email })
        record('user.updated', { ...row, changed })
        return fromPrisma(row)
      })
    },
    suspend: (actor, id, { expect } = {}) =>
      changeUser(actor, id, async (tx, record) => {
        const before = expected(await lock(tx, actor, id), expect)
        if (before.isAdmin) await guardLastAdmin(tx, id)
        await agentsOfOwners.end(tx, record, { userId: id })
        await endAccess(tx, id)
        const row = await tx.user.update({ where: { id }, data: before.isSuspended ? {} : { suspendedAt: now() } })
        record('user.suspended', row)
        return fromPrisma(row)
      }),
    activate: (actor, id, { expect } = {}) =>
      changeUser(actor, id, async (tx, record) => {
        expected(await lock(tx, actor, id), expect)
        const row = await tx.user.update({ where: { id }, data: { suspendedAt: null } })
        record('user.activated', row)
        return fromPrisma(row)
      }),
    remove: async (actor, id, { expect, within, isOwn } = {}) => {
      await changeUser(actor, id, async (tx, record) => {
        await lockOwned(tx, id)
        const before = expected(await lock(tx, actor, id, { isOwn }), expect)
        if (before.isAdmin) await guardLastAdmin(tx, id)
        await agentsOfOwners.end(tx, record, { userId: id })
        await endAccess(tx, id)
        await guardRemoval(tx, id)
        const deletedAt = now()
        await within?.(tx, deletedAt)
        const row = await tx.user.update({ where: { id }, data: { deletedAt } })
        record('user.deleted', row)
        return fromPrisma(row)
      })
    },
    restore: (actor, id) =>
      changeUser(actor, id, async (tx, record) => {
        const { count } = await tx.user.updateMany({ where: { id, deletedAt: { gt: restorableSince(now()) } }, data: { deletedAt: null } })
        if (count === 0) throw new Problem('not_found')
        const row = await tx.user.findUniqueOrThrow({ where: { id } })
        const user = fromPrisma(row)
        mustAdminister(actor, user)
        record('user.restored', row)
        return user
      }),
    endSessions: (actor, id) =>
      change(actor, async (tx, record) => {
        const user = await lock(tx, actor, id)
        await endAccess(tx, id)
        record('user.sessions_ended', { ...user })
      }),
    purge: createPurgeUsers(needs),
  }
}

const expected = (user: User, expect?: Expect): User => {
  expect?.(user.updatedAt)
  return user
}

const isMoved = ({ email }: UserChanges, before: User): boolean => email !== undefined && parseEmail(email) !== normalizeEmail(before.email)

const toData = (changes: UserChanges, { before, now }: { before: User; now: Date }): Prisma.UserUpdateInput => {
  const { email, isEmailVerified, isAdmin, ...plain } = changes
  const isVerified = isEmailVerified ?? (isMoved(changes, before) ? false : undefined)
  return {
    ...plain,
    ...(email === undefined ? {} : { email: email.trim(), emailNormalized: parseEmail(email) }),
    // Another address has to be verified anew.
    ...(isVerified === undefined ? {} : { emailVerifiedAt: isVerified ? now : null }),
    ...(isAdmin === undefined ? {} : { systemRole: isAdmin ? 'admin' : null }),
  }
}

/** A living user, whom nobody else changes until this change ends. */
export const lockUser = async (tx: TransactionClient, id: UserId): Promise<User> => {
  await tx.$queryRaw`SELECT id FROM users WHERE system_role = 'admin' OR id = ${id}::uuid ORDER BY id FOR NO KEY UPDATE`
  const row = await tx.user.findFirst({ where: { id, deletedAt: null } })
  if (!row) throw new Problem('not_found')
  return fromPrisma(row)
}

// The administrators are locked by `lockUser`, in one order: of two who go at once, the second sees that the first is gone.
const guardLastAdmin = async (tx: TransactionClient, id: UserId) => {
  const others = await tx.user.count({ where: { systemRole: 'admin', deletedAt: null, suspendedAt: null, id: { not: id } } })
  if (others === 0) throw new Problem('last_admin')
}
