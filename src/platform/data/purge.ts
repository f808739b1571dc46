// Forgets rows that are due, a batch at a time. SKIP LOCKED: several processes may purge at once.
import { type Database, statement } from './database.ts'

/** Deletes up to `limit` rows that are due; answers how many. */
export type Purge = (database: Database, limit: number) => Promise<number>

/** Makes one for a table; `due` is the condition, in SQL. */
export const createPurge = ({ table, key = 'id', due }: { table: string; key?: string; due: string }): Purge => {
  const purge = statement(
    `${table}-purge`,
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${due} LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING 1`,
  )
  return async (database, limit) => (await database.run(purge, [limit])).length
}
