// Empties resource servers for good that were deleted and not brought back in time.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database } from '../platform/data/database.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import { emptiedResourceServer } from './belongings.ts'

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
}

const select = { id: true, identifier: true }

/** Makes it: resource servers that are due, `batch` listed at a time; answers how many. Throws as {@link purgeEach} does. */
export const createPurgeResourceServers =
  ({ database, change, now }: Needs) =>
  (actor: Actor, batch: number): Promise<number> => {
    const isDue = { deletedAt: { lte: restorableSince(now()) }, NOT: { name: '' } }
    return purgeEach({
      database,
      kind: 'resource server',
      list: ({ others, orderBy }) => database.prisma.resourceServer.findMany({ where: { ...isDue, ...others }, select, orderBy, take: batch }),
      purgeOne: ({ id, identifier }) =>
        change(actor, async (tx, record) => {
          // Asked again: none that was restored meanwhile is emptied.
          const { count } = await tx.resourceServer.updateMany({ where: { id, ...isDue }, data: emptiedResourceServer })
          if (count === 0) throw new Problem('conflict')
          await tx.resourceServerClient.deleteMany({ where: { resourceServerId: id } })
          record('resource_server.purged', { id, identifier })
        }),
    })
  }
