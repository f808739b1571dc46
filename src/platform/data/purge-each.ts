// Forgetting for good what was deleted long ago, one by one, each in a change of its own.
import { Problem } from '../errors.ts'
import type { Database } from './database.ts'

/** That one could not be forgotten; its cause says why. */
export class PurgeError extends Error {
  override readonly name = 'PurgeError'
  readonly id: string

  constructor(kind: string, id: string, options: ErrorOptions) {
    super(`${kind} ${id} cannot be forgotten`, options)
    this.id = id
  }
}

/** Which of those that are due are listed: the oldest first, without those that were passed over. */
export interface Listing {
  readonly others: { readonly id: { readonly notIn: string[] } }
  readonly orderBy: { readonly deletedAt: 'asc' }
}

interface Purging<Due> {
  readonly database: Pick<Database, 'ping'>
  /** What they are, for whoever reads the log. */
  readonly kind: string
  readonly list: (listing: Listing) => Promise<readonly Due[]>
  readonly purgeOne: (one: Due) => Promise<unknown>
}

// What is left then is for the next call.
const most = 2000

/**
 * Forgets all that are due, a list at a time, and answers how many. One that is refused with `conflict` was restored, or forgotten by another
 * process, since they were listed. One that fails is passed over like it, so that however many fail, those after them have their turn; an
 * AggregateError of {@link PurgeError}s tells of them at the end, or as soon as the database itself is out of reach.
 */
export const purgeEach = async <Due extends { readonly id: string }>({ database, kind, list, purgeOne }: Purging<Due>): Promise<number> => {
  const passedOver: string[] = []
  const failures: PurgeError[] = []
  let purged = 0
  let due: readonly Due[]
  do {
    due = await list({ others: { id: { notIn: passedOver } }, orderBy: { deletedAt: 'asc' } })
    for (const one of due) {
      try {
        await purgeOne(one)
        purged += 1
      } catch (error) {
        passedOver.push(one.id)
        if (error instanceof Problem && error.code === 'conflict') continue
        failures.push(new PurgeError(kind, one.id, { cause: error }))
        if (!(await answers(database))) throw failed(failures)
      }
    }
  } while (due.length > 0 && purged < most)
  if (failures.length > 0) throw failed(failures)
  return purged
}

const failed = (failures: readonly PurgeError[]) => new AggregateError(failures, 'not all that were due could be forgotten')

const answers = (database: Pick<Database, 'ping'>) =>
  database.ping().then(
    () => true,
    () => false,
  )
