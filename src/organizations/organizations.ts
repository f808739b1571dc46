// Organizations and their members.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import type { UserId } from '../users/user.ts'
import { type OrganizationId, type OrganizationRole, organizationIdSchema } from './organization.ts'

/** The organizations of the system. */
export interface Organizations {
  /** Throws `slug_taken`. */
  create(actor: Actor, organization: { slug: string; name: string }): Promise<{ id: OrganizationId }>
  findBySlug(slug: string): Promise<{ id: OrganizationId } | undefined>
  /** Adds a member, or changes the role of one. */
  setMember(actor: Actor, member: { organizationId: OrganizationId; userId: UserId; role: OrganizationRole }): Promise<void>
}

/** Makes the service. */
export const createOrganizations = ({ database, change }: { database: Database; change: Change }): Organizations => ({
  create: (actor, { slug, name }) =>
    change(actor, async (tx, record) => {
      const row = await tx.organization.create({ data: { slug, name } })
      record('organization.created', row, { organizationId: row.id })
      return { id: organizationIdSchema.parse(row.id) }
    }),
  findBySlug: async slug => {
    const row = await database.prisma.organization.findFirst({ where: { slug, deletedAt: null }, select: { id: true } })
    return row ? { id: organizationIdSchema.parse(row.id) } : undefined
  },
  setMember: (actor, { organizationId, userId, role }) =>
    change(actor, async (tx, record) => {
      await tx.organizationMember.upsert({
        where: { organizationId_userId: { organizationId, userId } },
        create: { organizationId, userId, role },
        update: { role },
      })
      record('organization.member_added', { id: userId, role }, { organizationId })
    }),
})
