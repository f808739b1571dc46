// Forgets for good who was deleted and not brought back in time.
import type { AgentsOfOwners } from '../clients/agents-of-owners.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
  readonly agentsOfOwners: AgentsOfOwners
}

/** Makes it: users that are due, `batch` listed at a time; answers how many. Throws as {@link purgeEach} does. */
export const createPurgeUsers =
  ({ database, change, now, agentsOfOwners }: Needs) =>
  (actor: Actor, batch: number): Promise<number> => {
    const isDue = { deletedAt: { lte: restorableSince(now()) } }
    return purgeEach({
      database,
      kind: 'user',
      list: ({ others, orderBy }) => database.prisma.user.findMany({ where: { ...isDue, ...others }, select: { id: true }, orderBy, take: batch }),
      purgeOne: ({ id }) =>
        change(actor, async (tx, record) => {
          await tx.$queryRaw`SELECT id FROM users WHERE id = ${id}::uuid FOR UPDATE`
          await agentsOfOwners.release(tx, record, id)
          // Asked again: nobody who was restored meanwhile is lost.
          if ((await tx.user.deleteMany({ where: { id, ...isDue } })).count === 0) throw new Problem('conflict')
          record('user.purged', { id })
        }),
    })
  }
