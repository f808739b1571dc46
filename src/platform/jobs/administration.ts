// Jobs as their administrators see them: what waits and what was given up, never what it says.
import { z } from 'zod'
import type { Actor } from '../actor.ts'
import { type Change, event } from '../data/change.ts'
import type { Database, Prisma } from '../data/database.ts'
import type { Found } from '../data/page.ts'
import { Problem } from '../errors.ts'

/** `waiting`: to be done, or under way. `dead`: given up. */
export const jobStates = ['waiting', 'dead'] as const

/** A job without its payload. */
export interface KnownJob {
  readonly id: string
  readonly kind: string
  readonly attempts: number
  readonly runAt: Date
  readonly createdAt: Date
  readonly deadAt?: Date
  readonly lastError?: string
}

/** The administration of jobs. Each change throws `not_found` for a job that is not there any more. */
export interface JobAdministration {
  /** The newest first; `after` is the last of the page before: its time of creation as ISO 8601, and its id. */
  list(state: (typeof jobStates)[number] | undefined, page: { limit: number; after?: readonly string[] }): Promise<Found<KnownJob>>
  /** Has it tried again at once, as often as a new one. */
  retry(actor: Actor, id: string): Promise<KnownJob>
  remove(actor: Actor, id: string): Promise<void>
}

const shape = { kind: z.string() }

/** The events of jobs. */
export const jobEvents = { 'job.retried': event('job', shape), 'job.deleted': event('job', shape) }

const columns = { id: true, kind: true, attempts: true, runAt: true, createdAt: true, deadAt: true, lastError: true } as const

/** Makes the service. */
export const createJobAdministration = ({ database, change }: { database: Database; change: Change }): JobAdministration => ({
  list: async (state, { limit, after }) => {
    const where: Prisma.JobWhereInput = state === undefined ? {} : { deadAt: state === 'dead' ? { not: null } : null }
    const [rows, total] = await Promise.all([
      database.prisma.job.findMany({
        select: columns,
        where: { AND: [where, olderThan(after)] },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: limit + 1,
      }),
      database.prisma.job.count({ where }),
    ])
    return { rows: rows.map(toJob), total }
  },
  retry: (actor, id) =>
    change(actor, async (tx, record) => {
      // One that is under way is left to whoever has it.
      const { count } = await tx.job.updateMany({ where: { id, lockedUntil: null }, data: { deadAt: null, attempts: 0, runAt: new Date(0) } })
      const job = await tx.job.findUnique({ select: columns, where: { id } })
      if (!job) throw new Problem('not_found')
      if (count === 0) throw new Problem('conflict')
      record('job.retried', job)
      return toJob(job)
    }),
  remove: (actor, id) =>
    change(actor, async (tx, record) => {
      const job = await tx.job.findUnique({ select: columns, where: { id } })
      const { count } = await tx.job.deleteMany({ where: { id } })
      if (!job || count === 0) throw new Problem('not_found')
      record('job.deleted', job)
    }),
})

const olderThan = (after: readonly string[] | undefined): Prisma.JobWhereInput => {
  const [at, id] = after ?? []
  if (at === undefined || id === undefined) return {}
  return { OR: [{ createdAt: { lt: new Date(at) } }, { createdAt: new Date(at), id: { lt: id } }] }
}

type Row = Omit<KnownJob, 'deadAt' | 'lastError'> & { readonly deadAt: Date | null; readonly lastError: string | null }

const toJob = ({ deadAt, lastError, ...job }: Row): KnownJob => ({ ...job, deadAt: deadAt ?? undefined, lastError: lastError ?? undefined })
