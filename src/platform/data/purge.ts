// Forgets rows that are due, a batch at a time. SKIP LOCKED: several processes may purge at once.
import { type Database, statement } from './database.ts'

/** Deletes up to `limit` rows that are due; answers how many. */
export type Purge = (database: Database, limit: number) => Promise<number>

/** Makes one for a table; `due` is the condition, in SQL. What it throws names the table. */
export const createPurge = ({ table, key = 'id', due }: { table: string; key?: string; due: string }): Purge => {
  const purge = statement(
    `${table}-purge`,
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${due} LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING 1`,
  )
  return async (database, limit) => {
    try {
      return (await database.run(purge, [limit])).length
    } catch (error) {
      throw new Error(`purging ${table} failed`, { cause: error })
    }
  }
}

interface PurgingTime {
  /** Rows of one table at a time. */
  readonly batch: number
  readonly milliseconds: number
  readonly isStopped?: () => boolean
}

/**
 * Lets each forget a batch, and those that found a full one another, in turn, until nothing more is due, the time is over or it is told to stop.
 * What is left then is for the next call. One that fails holds up none of the others; at the end an AggregateError tells of all that did.
 */
export const purgeInTurn = async (database: Database, purges: readonly Purge[], { batch, milliseconds, isStopped = () => false }: PurgingTime) => {
  const end = performance.now() + milliseconds
  const failures: unknown[] = []
  for (let due = purges; due.length > 0 && performance.now() < end; ) {
    const more: Purge[] = []
    for (const purge of due) {
      try {
        if (!isStopped() && (await purge(database, batch)) === batch) more.push(purge)
      } catch (error) {
        failures.push(error)
      }
    }
    due = more
  }
  if (failures.length > 0) throw new AggregateError(failures, 'not all could be purged')
}
