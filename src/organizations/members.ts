// Members: who belongs to an organization, decided while the organization is locked, so that it never loses its last owner.
import { type Actor, can } from '../platform/actor.ts'
import { holdAuthority } from '../platform/context.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from '../users/email.ts'
import { userIdSchema } from '../users/user.ts'
import type { Adding } from './adding.ts'
import { findRole, isBuiltIn } from './find-role.ts'
import { type MustHoldRoles, type PermissionsOf, type RoleRow, roleOf } from './holding.ts'
import { type Member, type Organization, type OrganizationId, organizationIdSchema } from './organization.ts'
import { guardLastOwner, keepPerson } from './owners.ts'

/** Names a member. */
export interface MemberKey {
  readonly organizationId: OrganizationId
  readonly userId: string
}

/**
 * The members of organizations. Each change throws `not_found` for an organization or person that is not there, `forbidden`
 * where the caller lacks a permission of the role they would give or take, or would make or touch an owner and is none,
 * `validation_failed` for a role that the organization does not have, and `last_owner` where none would be left.
 */
export interface Members {
  list(organizationId: OrganizationId, filter: { readonly role?: string }, page: PageRequest): Promise<Found<Member>>
  /** The organizations of a person, by name. */
  listOfUser(userId: string): Promise<readonly Membership[]>
  /** Throws `member_exists`, and `too_many_attempts` for who names many addresses of nobody. */
  add(actor: Actor, member: { organizationId: OrganizationId; userId?: string; email?: string; role: string }): Promise<Member>
  setRole(actor: Actor, member: MemberKey & { readonly role: string }): Promise<Member>
  /** Removes a member; anybody may remove themselves, but no app of theirs does so without `members:write`. */
  remove(actor: Actor, member: MemberKey): Promise<void>
}

/** A person's place in an organization. */
export interface Membership {
  readonly organization: Pick<Organization, 'id' | 'slug' | 'name'>
  readonly role: string
  readonly joinedAt: Date
}

type Lock = (tx: TransactionClient, id: OrganizationId) => Promise<Organization>

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly lock: Lock
  readonly permissionsOf: PermissionsOf
  readonly mustHoldRoles: MustHoldRoles
  readonly adding: Adding
  /** Takes away what ends with a membership. */
  readonly eraseBelongings: (tx: TransactionClient, record: RecordEvent, member: MemberKey) => Promise<void>
}

/** Makes the service. */
export const createMembers = ({ database, change, lock, permissionsOf, mustHoldRoles, adding, eraseBelongings }: Needs): Members => ({
  list: async (organizationId, { role }, { after, limit, isAscending }) => {
    const where = { organizationId, ...(role === undefined ? {} : having(role)), user: { deletedAt: null } }
    const { where: user, orderBy, take } = pageOf({}, { after, limit, isAscending })
    const [rows, total] = await Promise.all([
      database.prisma.organizationMember.findMany({
        where: { ...where, user: { AND: [{ deletedAt: null }, user] } },
        orderBy: { userId: orderBy.id },
        take,
        include,
      }),
      database.prisma.organizationMember.count({ where }),
    ])
    return { rows: rows.map(toMember), total }
  },
  listOfUser: async userId => {
    const rows = await database.prisma.organizationMember.findMany({
      where: { userId, organization: { deletedAt: null } },
      include: { organization: { select: { id: true, slug: true, name: true } }, customRole: true },
      orderBy: { organization: { name: 'asc' } },
    })
    return rows.map(({ organization: { id, slug, name }, joinedAt, ...row }) => ({
      organization: { id: organizationIdSchema.parse(id), slug, name },
      role: nameOf(row),
      joinedAt,
    }))
  },
  add: (actor, { organizationId, userId, email, role }) =>
    adding.within(actor, email, () =>
      change(actor, async (tx, record) => {
        const organization = await lock(tx, organizationId)
        const { columns, handed } = await findRole(tx, { organizationId, role, permissionsOf })
        await mustHoldRoles(tx, { actor, organizationId, roles: [handed] })
        const user = await tx.user.findFirst({
          where: { deletedAt: null, ...(userId === undefined ? { emailNormalized: normalizeEmail(email ?? '') ?? '' } : { id: userId }) },
        })
        if (!user) throw new Problem('not_found')
        await keepPerson(tx, user.id)
        const known = await tx.organizationMember.findUnique({ where: { organizationId_userId: { organizationId, userId: user.id } } })
        if (known) throw new Problem('member_exists')
        const row = await tx.organizationMember.create({ data: { organizationId, userId: user.id, ...columns }, include })
        await adding.tell(tx, actor, { organization, userId: user.id, role: handed.name })
        record('organization.member_added', { id: user.id, role: handed.name }, { organizationId })
        return toMember(row)
      }),
    ),
  setRole: async (actor, { organizationId, userId, role }) => {
    const known = await findMember(database.prisma, { organizationId, userId })
    if (nameOf(known) === role) {
      await mustHoldRoles(database.prisma, { actor, organizationId, roles: [roleOf(known, permissionsOf)] })
      return toMember(known)
    }
    return change(actor, async (tx, record) => {
      await lock(tx, organizationId)
      await holdAuthority(tx, [organizationId])
      const before = await findMember(tx, { organizationId, userId })
      const { columns, handed } = await findRole(tx, { organizationId, role, permissionsOf })
      await mustHoldRoles(tx, { actor, organizationId, roles: [roleOf(before, permissionsOf), handed] })
      if (before.role === 'owner' && handed.name !== 'owner') await guardLastOwner(tx, { organizationId, userId })
      if (handed.name === 'owner') await keepPerson(tx, userId)
      const row = await tx.organizationMember.update({ where: { organizationId_userId: { organizationId, userId } }, data: columns, include })
      record('organization.member_role_changed', { id: userId, role: handed.name, previous_role: nameOf(before) }, { organizationId })
      return toMember(row)
    })
  },
  remove: (actor, { organizationId, userId }) =>
    change(actor, async (tx, record) => {
      await lock(tx, organizationId)
      await holdAuthority(tx, [organizationId])
      const before = await findMember(tx, { organizationId, userId })
      if (!isLeaving(actor, userId)) {
        if (!isTheServer(actor) && !can(actor, 'members:write', organizationId)) throw new Problem('forbidden')
        await mustHoldRoles(tx, { actor, organizationId, roles: [roleOf(before, permissionsOf)] })
      }
      if (before.role === 'owner') await guardLastOwner(tx, { organizationId, userId })
      await tx.organizationMember.delete({ where: { organizationId_userId: { organizationId, userId } } })
      await eraseBelongings(tx, record, { organizationId, userId })
      record('organization.member_removed', { id: userId, role: nameOf(before) }, { organizationId })
    }),
})

const include = { user: { select: { email: true, name: true, emailVerifiedAt: true } }, customRole: true } as const

const isLeaving = (actor: Actor, userId: string) => actor.sessionId !== undefined && actor.userId === userId

const isTheServer = (actor: Actor) => actor.kind === 'system'

const findMember = async (tx: TransactionClient, { organizationId, userId }: MemberKey) => {
  const row = await tx.organizationMember.findFirst({ where: { organizationId, userId, user: { deletedAt: null } }, include })
  if (!row) throw new Problem('not_found')
  return row
}

const having = (role: string) => (isBuiltIn(role) ? { role } : { customRole: { name: role } })

const nameOf = ({ role, customRole }: RoleRow): string => customRole?.name ?? role ?? ''

const toMember = (row: RoleRow & { userId: string; joinedAt: Date; user: { email: string; name: string | null; emailVerifiedAt: Date | null } }): Member => ({
  userId: userIdSchema.parse(row.userId),
  email: row.user.email,
  isEmailVerified: row.user.emailVerifiedAt !== null,
  name: row.user.name ?? undefined,
  role: nameOf(row),
  joinedAt: row.joinedAt,
})
