// Members: who belongs to an organization, decided while the organization is locked, so that it never loses its last owner.
import { type Actor, can } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from '../users/email.ts'
import { type GuardRemoval, userIdSchema } from '../users/user.ts'
import { type Member, type Organization, type OrganizationId, type OrganizationRole, organizationIdSchema, organizationRoles } from './organization.ts'

/** Names a member. */
export interface MemberKey {
  readonly organizationId: OrganizationId
  readonly userId: string
}

/**
 * The members of organizations. Each change throws `not_found` for an organization or person that is not there, `forbidden`
 * where somebody who is no owner would make or touch one, and `last_owner` where none would be left.
 */
export interface Members {
  list(organizationId: OrganizationId, filter: { readonly role?: OrganizationRole }, page: PageRequest): Promise<Found<Member>>
  /** The organizations of a person, by name. */
  listOfUser(userId: string): Promise<readonly Membership[]>
  /** Throws `member_exists`. */
  add(actor: Actor, member: { organizationId: OrganizationId; userId?: string; email?: string; role: OrganizationRole }): Promise<Member>
  setRole(actor: Actor, member: MemberKey & { readonly role: OrganizationRole }): Promise<Member>
  /** Removes a member; anybody may remove themselves. */
  remove(actor: Actor, member: MemberKey): Promise<void>
  /** Throws `last_owner` where the person is the last owner of an organization. */
  readonly guardRemoval: GuardRemoval
}

/** A person's place in an organization. */
export interface Membership {
  readonly organization: Pick<Organization, 'id' | 'slug' | 'name'>
  readonly role: OrganizationRole
  readonly joinedAt: Date
}

type Lock = (tx: TransactionClient, id: OrganizationId) => Promise<Organization>

/** Makes the service. */
export const createMembers = ({ database, change, lock }: { database: Database; change: Change; lock: Lock }): Members => ({
  list: async (organizationId, { role }, { after, limit, isAscending }) => {
    if ((await database.prisma.organization.count({ where: { id: organizationId, deletedAt: null } })) === 0) throw new Problem('not_found')
    const where = { organizationId, ...(role === undefined ? {} : { role }), user: { deletedAt: null } }
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
      include: { organization: { select: { id: true, slug: true, name: true } } },
      orderBy: { organization: { name: 'asc' } },
    })
    return rows.map(({ organization: { id, slug, name }, role, joinedAt }) => ({
      organization: { id: organizationIdSchema.parse(id), slug, name },
      role: toRole(role),
      joinedAt,
    }))
  },
  add: (actor, { organizationId, userId, email, role }) =>
    change(actor, async (tx, record) => {
      await lock(tx, organizationId)
      await guardOwners(tx, { actor, organizationId, roles: [role] })
      const user = await tx.user.findFirst({
        where: { deletedAt: null, ...(userId === undefined ? { emailNormalized: normalizeEmail(email ?? '') ?? '' } : { id: userId }) },
      })
      if (!user) throw new Problem('not_found')
      const known = await tx.organizationMember.findUnique({ where: { organizationId_userId: { organizationId, userId: user.id } } })
      if (known) throw new Problem('member_exists')
      const row = await tx.organizationMember.create({ data: { organizationId, userId: user.id, role }, include })
      record('organization.member_added', { id: user.id, role }, { organizationId })
      return toMember(row)
    }),
  setRole: (actor, { organizationId, userId, role }) =>
    change(actor, async (tx, record) => {
      await lock(tx, organizationId)
      const before = await findMember(tx, { organizationId, userId })
      await guardOwners(tx, { actor, organizationId, roles: [before.role, role] })
      if (before.role === 'owner' && role !== 'owner') await guardLastOwner(tx, { organizationId, userId })
      const row = await tx.organizationMember.update({ where: { organizationId_userId: { organizationId, userId } }, data: { role }, include })
      record('organization.member_role_changed', { id: userId, role, previous_role: before.role }, { organizationId })
      return toMember(row)
    }),
  remove: (actor, { organizationId, userId }) =>
    change(actor, async (tx, record) => {
      await lock(tx, organizationId)
      const before = await findMember(tx, { organizationId, userId })
      if (actor.userId !== userId) {
        if (!isTheServer(actor) && !can(actor, 'members:write', organizationId)) throw new Problem('forbidden')
        await guardOwners(tx, { actor, organizationId, roles: [before.role] })
      }
      if (before.role === 'owner') await guardLastOwner(tx, { organizationId, userId })
      await tx.organizationMember.delete({ where: { organizationId_userId: { organizationId, userId } } })
      record('organization.member_removed', { id: userId, role: before.role }, { organizationId })
    }),
  guardRemoval: async (tx, userId) => {
    const owned = await tx.$queryRaw<{ id: string }[]>`
      SELECT o.id FROM organizations o JOIN organization_members m ON m.organization_id = o.id
      WHERE m.user_id = ${userId}::uuid AND m.role = 'owner' AND o.deleted_at IS NULL ORDER BY o.id FOR NO KEY UPDATE OF o`
    for (const { id } of owned) await guardLastOwner(tx, { organizationId: id, userId })
  },
})

const include = { user: { select: { email: true, name: true } } } as const

const isTheServer = (actor: Actor) => actor.kind === 'system'

// Only an owner makes, changes or removes owners; the system's administrators and the server itself may do all. The caller's
// own role is read here, where the organization is locked: who was just demoted is an owner no more.
const guardOwners = async (
  tx: TransactionClient,
  { actor, organizationId, roles }: { actor: Actor; organizationId: string; roles: readonly string[] },
): Promise<void> => {
  if (!roles.includes('owner') || isTheServer(actor) || actor.permissions.has('members:write')) return
  const own = actor.userId === undefined ? undefined : await tx.organizationMember.findFirst({ where: { organizationId, userId: actor.userId } })
  if (own?.role !== 'owner') throw new Problem('forbidden')
}

const guardLastOwner = async (tx: TransactionClient, { organizationId, userId }: { organizationId: string; userId: string }): Promise<void> => {
  const others = await tx.organizationMember.count({ where: { organizationId, role: 'owner', userId: { not: userId }, user: { deletedAt: null } } })
  if (others === 0) throw new Problem('last_owner')
}

const findMember = async (tx: TransactionClient, { organizationId, userId }: MemberKey) => {
  const row = await tx.organizationMember.findFirst({ where: { organizationId, userId, user: { deletedAt: null } } })
  if (!row) throw new Problem('not_found')
  return row
}

const toRole = (role: string): OrganizationRole => organizationRoles.find(one => one === role) ?? 'member'

const toMember = (row: { userId: string; role: string; joinedAt: Date; user: { email: string; name: string | null } }): Member => ({
  userId: userIdSchema.parse(row.userId),
  email: row.user.email,
  name: row.user.name ?? undefined,
  role: toRole(row.role),
  joinedAt: row.joinedAt,
})
