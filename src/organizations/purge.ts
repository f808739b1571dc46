// Forgets organizations for good that were deleted and not brought back in time.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import type { Belongings } from './organizations.ts'

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
  readonly belongings: Pick<Belongings, 'release'>
}

/** Makes it: organizations that are due, `batch` listed at a time; answers how many. Throws as {@link purgeEach} does. */
export const createPurgeOrganizations =
  ({ database, change, now, belongings }: Needs) =>
  (actor: Actor, batch: number): Promise<number> => {
    const isDue = { deletedAt: { lte: restorableSince(now()) } }
    return purgeEach({
      database,
      kind: 'organization',
      list: ({ others, orderBy }) => database.prisma.organization.findMany({ where: { ...isDue, ...others }, select: { id: true }, orderBy, take: batch }),
      purgeOne: ({ id }) =>
        change(actor, async (tx, record) => {
          // Before its clients, as everybody locks them who changes one.
          await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${id}::uuid FOR UPDATE`
          await belongings.release(tx, id)
          // Asked again: one that was restored meanwhile is not lost, and what was released of it comes back with the roll-back.
          if ((await tx.organization.deleteMany({ where: { id, ...isDue } })).count === 0) throw new Problem('conflict')
          record('organization.purged', { id }, { organizationId: id })
        }),
    })
  }
