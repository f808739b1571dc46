// Organizations: made, changed, deleted softly with what belongs to them, restored, purged.
import { endOfAbsence } from '../platform/access-end.ts'
import type { Actor } from '../platform/actor.ts'
import { holdAuthority } from '../platform/context.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, Prisma, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import { type NewOrganization, type Organization, type OrganizationChanges, type OrganizationId, organizationIdSchema } from './organization.ts'
import { keepPerson } from './owners.ts'
import { createPurgeOrganizations } from './purge.ts'
import { slugOf } from './slug.ts'

const slugAttempts = 5

/** The organizations of the system. Each change throws `not_found` for one that is not there. */
export interface Organizations {
  /** Throws `slug_taken` for a slug that was asked for; one made from the name is always free. */
  create(actor: Actor, organization: NewOrganization): Promise<Organization>
  get(id: OrganizationId): Promise<Organization>
  findBySlug(slug: string): Promise<Organization | undefined>
  /** `ids`: only those of these. */
  list(
    filter: { readonly slug?: string; readonly q?: string; readonly ids?: readonly string[]; readonly isDeleted?: boolean },
    page: PageRequest,
  ): Promise<Found<Organization>>
  /** Throws `slug_taken`. `expect` is called with the version of what is about to be changed. */
  update(actor: Actor, id: OrganizationId, changes: OrganizationChanges & { readonly expect?: Expect }): Promise<Organization>
  /** Softly; its clients are disabled in the same commit, and what names it or is theirs ends for good. `expect` is called as by an update. */
  remove(actor: Actor, id: OrganizationId, options?: { readonly expect?: Expect }): Promise<void>
  /** With the clients that were disabled by its deletion. Throws `slug_taken` when the slug has been taken meanwhile. */
  restore(actor: Actor, id: OrganizationId): Promise<Organization>
  /** Forgets for good what was deleted long ago; answers how many. */
  purge(actor: Actor, batch: number): Promise<number>
}

type Expect = (version: Date) => void

/** What belongs to an organization and lives and ends with it. */
export interface Belongings {
  /** Disables all that is not disabled already; what it held ends. */
  disable(tx: TransactionClient, record: RecordEvent, gone: { readonly organizationId: string; readonly at: Date }): Promise<void>
  /** Takes back what {@link Belongings.disable} did at that moment, but for what ended. */
  enable(tx: TransactionClient, organizationId: string, moments: { readonly disabledAt: Date; readonly at: Date }): Promise<void>
  /** Empties and releases all for good. */
  release(tx: TransactionClient, organizationId: string): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly belongings: Belongings
  readonly forgetSettings: (id: string) => void
}

/** Makes the service. */
export const createOrganizations = ({ database, change, now, randomBytes, belongings, forgetSettings }: Needs): Organizations => {
  const insert = (actor: Actor, { slug, name, description, ownerId }: NewOrganization & { slug: string }) =>
    change(actor, async (tx, record) => {
      if (ownerId !== undefined) await keepPerson(tx, ownerId)
      const members = ownerId === undefined ? undefined : { create: { userId: ownerId, role: 'owner' } }
      const row = await tx.organization.create({ data: { slug, name, description, members } })
      record('organization.created', row, { organizationId: row.id })
      return toOrganization(row)
    })

  const get = async (id: OrganizationId) => {
    const row = await database.prisma.organization.findFirst({ where: { id, deletedAt: null } })
    if (!row) throw new Problem('not_found')
    return toOrganization(row)
  }

  return {
    create: async (actor, { slug, ...organization }) => {
      if (slug !== undefined) return insert(actor, { ...organization, slug })
      const base = slugOf(organization.name)
      for (let attempt = 1; attempt < slugAttempts; attempt += 1) {
        try {
          return await insert(actor, { ...organization, slug: attempt === 1 ? base : `${base}-${randomBytes(3).toString('hex')}` })
        } catch (error) {
          if (!(error instanceof Problem && error.code === 'slug_taken')) throw error
        }
      }
      return insert(actor, { ...organization, slug: `${base}-${randomBytes(6).toString('hex')}` })
    },
    get,
    findBySlug: async slug => {
      const row = await database.prisma.organization.findFirst({ where: { slug, deletedAt: null } })
      return row ? toOrganization(row) : undefined
    },
    list: async ({ isDeleted = false, ...filter }, page) => {
      const where = { ...toWhere(filter), deletedAt: isDeleted ? { gt: restorableSince(now()) } : null }
      const [rows, total] = await Promise.all([
        database.prisma.organization.findMany({ ...pageOf(where, page), omit: { branding: true } }),
        database.prisma.organization.count({ where }),
      ])
      return { rows: rows.map(toOrganization), total }
    },
    update: async (actor, id, { expect, ...changes }) => {
      const changed = toldNamesOf(changes)
      if (changed.length === 0) return expected(await get(id), expect)
      const updated = await change(actor, async (tx, record) => {
        expected(await lockOrganization(tx, id), expect)
        const row = await tx.organization.update({ where: { id }, data: changes })
        record('organization.updated', { ...row, changed }, { organizationId: id })
        return toOrganization(row)
      })
      forgetSettings(id)
      return updated
    },
    remove: (actor, id, { expect } = {}) =>
      change(actor, async (tx, record) => {
        expected(await lockOrganization(tx, id), expect)
        await holdAuthority(tx, [id])
        const deletedAt = now()
        await belongings.disable(tx, record, { organizationId: id, at: deletedAt })
        const row = await tx.organization.update({ where: { id }, data: { deletedAt, accessEndedAt: deletedAt } })
        record('organization.deleted', row, { organizationId: id })
      }),
    restore: (actor, id) =>
      change(actor, async (tx, record) => {
        const before = await tx.organization.findFirst({ where: { id, deletedAt: { gt: restorableSince(now()) } } })
        if (!before?.deletedAt) throw new Problem('not_found')
        const at = now()
        const data = { deletedAt: null, accessEndedAt: endOfAbsence(before, at) }
        const [row] = await tx.organization.updateManyAndReturn({ where: { id, deletedAt: before.deletedAt }, data })
        if (!row) throw new Problem('not_found')
        await belongings.enable(tx, id, { disabledAt: before.deletedAt, at })
        record('organization.restored', row, { organizationId: id })
        return toOrganization(row)
      }),
    purge: createPurgeOrganizations({ database, change, now, belongings }),
  }
}

/** A living organization, which nobody else changes, nor its members, until this change ends. Throws `not_found`. */
export const lockOrganization = async (tx: TransactionClient, id: OrganizationId): Promise<Organization> => {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${id}::uuid FOR NO KEY UPDATE`
  const row = await tx.organization.findFirst({ where: { id, deletedAt: null } })
  if (!row) throw new Problem('not_found')
  return toOrganization(row)
}

const expected = (organization: Organization, expect?: Expect): Organization => {
  expect?.(organization.updatedAt)
  return organization
}

const toWhere = ({ slug, q, ids }: { slug?: string; q?: string; ids?: readonly string[] }): Prisma.OrganizationWhereInput => {
  const part = q?.replace(/[\\%_]/g, '\\$&')
  return {
    ...(slug === undefined ? {} : { slug }),
    ...(ids === undefined ? {} : { id: { in: [...ids] } }),
    ...(part === undefined ? {} : { OR: [{ slug: { contains: part.toLowerCase() } }, { name: { contains: part, mode: 'insensitive' } }] }),
  }
}

interface Row {
  id: string
  slug: string
  name: string
  description: string | null
  isMfaRequired: boolean
  createdAt: Date
  updatedAt: Date
}

const toOrganization = ({ id, slug, name, description, isMfaRequired, createdAt, updatedAt }: Row): Organization => ({
  id: organizationIdSchema.parse(id),
  slug,
  name,
  description: description ?? undefined,
  isMfaRequired,
  createdAt,
  updatedAt,
})
