// Seals anew, under the current SECRET_KEY, what is sealed in columns under a previous one: in batches, while everybody works on.

import { z } from 'zod'
import type { Actor } from '../actor.ts'
import type { Purpose } from '../purposes.ts'
import type { Secrets } from '../secrets.ts'
import { type Change, event } from './change.ts'
import { type Database, statement } from './database.ts'

/** A column whose values are sealed. The names are ours, and go into SQL as they are. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  readonly purpose: Purpose
  /** The primary key and its type. */
  readonly key: readonly [name: string, type: 'uuid' | 'bytea' | 'text']
  /** What in the row `t` a value is bound to, in SQL. */
  readonly bound: string
  /** The context that it is sealed with. */
  readonly contextOf: (bound: string | Buffer) => string
  /** Which rows of the table; absent: all. */
  readonly where?: string
}

/** How many values of a column, by `table.column`. */
export type SealedCounts = Readonly<Record<string, number>>

/** What a run came to. */
export interface Resealed {
  /** How many were sealed anew. */
  readonly resealed: SealedCounts
  /** How many open under none of the keys: nobody can do anything with them. */
  readonly unreadable: SealedCounts
}

/** Seals anew. */
export interface Reseal {
  /** How many values are not sealed under the current key yet; of each column, those alone that have some. `batch` is as in {@link Reseal.run}. */
  countOlder(options?: { readonly batch?: number }): Promise<SealedCounts>
  /**
   * Seals them, with an event for each column. A value that somebody changes meanwhile stays as they left it. May be stopped at any time, run
   * again, and run twice at once.
   * `batch` is the number of rows that a statement looks at: none takes as long as a table is large.
   */
  run(actor: Actor, options?: { readonly batch?: number }): Promise<Resealed>
}

/** The event of a column of which values were sealed anew. */
export const resealEvents = { 'secret_key.resealed': event('secret_key', { resealed: z.record(z.string(), z.number()) }) }

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly columns: readonly SealedColumn[]
}

interface Row {
  readonly key: unknown
  readonly sealed: string
  readonly bound: string | Buffer
}

/** A row of a page: without a value where that is not to be sealed anew, and told of only because the next page begins after it. */
type Found = (Row | { readonly key: unknown; readonly sealed: null }) & { readonly is_last: boolean }

/** Makes it. */
export const createReseal = ({ database, change, secrets, columns }: Needs): Reseal => ({
  countOlder: options => countOlder(columns, { ...options, run: database.run, secrets }),
  run: async (actor, { batch = 500 } = {}) => {
    const told: { name: string; resealed: number; unreadable: number }[] = []
    for (const column of columns) {
      const { resealed, unreadable } = await resealColumn({ database, secrets }, { column, batch })
      const name = nameOf(column)
      told.push({ name, resealed, unreadable })
      // A run may be stopped at any time: what was done by then is told.
      if (resealed > 0) await change(actor, async (_tx, record) => record('secret_key.resealed', { resealed: { [name]: resealed } }))
    }
    return { resealed: some(told.map(one => [one.name, one.resealed])), unreadable: some(told.map(one => [one.name, one.unreadable])) }
  },
})

/** As {@link Reseal.countOlder}; `run` runs a statement that reads. */
export const countOlder = async (
  columns: readonly SealedColumn[],
  { run, secrets, batch = 5000 }: { run: Database['run']; secrets: Pick<Secrets, 'sealedPrefix'>; batch?: number },
): Promise<SealedCounts> => {
  const told: [string, number][] = []
  for (const column of columns) told.push([nameOf(column), await countColumn(run, { column, batch, prefix: secrets.sealedPrefix })])
  return some(told)
}

type Needed = Pick<Needs, 'database' | 'secrets'>
type Batches = { readonly column: SealedColumn; readonly batch: number }

const countColumn = async (run: Database['run'], { column, batch, prefix }: Batches & { readonly prefix: string }): Promise<number> => {
  const { count } = statementsOf(column)
  let counted = 0
  let after: unknown = beforeAll[column.key[1]]
  for (;;) {
    const [page] = await run<{ older: number; rows: number; last: unknown }>(count, [prefix, after, batch])
    counted += page?.older ?? 0
    if (!page || page.rows < batch) return counted
    after = page.last
  }
}

// A row that somebody is changing is passed over, and looked at again.
const maxPasses = 10

const resealColumn = async (needs: Needed, given: Batches): Promise<{ resealed: number; unreadable: number }> => {
  let resealed = 0
  for (let pass = 1; ; pass += 1) {
    const passed = await passOver(needs, given)
    resealed += passed.resealed
    if (passed.isComplete || pass === maxPasses) return { resealed, unreadable: passed.unreadable }
  }
}

const passOver = async ({ database, secrets }: Needed, { column, batch }: Batches) => {
  const { find, put } = statementsOf(column)
  const passed = { resealed: 0, unreadable: 0, isComplete: true }
  let after: unknown = beforeAll[column.key[1]]
  for (;;) {
    const found: Found[] = await database.run<Found>(find, [secrets.sealedPrefix, after, batch])
    const rows = found.filter(row => row.sealed !== null)
    const pairs = rows.flatMap(row => {
      const sealed = sealedAnew(secrets, { column, row })
      return sealed === undefined ? [] : [{ key: row.key, before: row.sealed, sealed }]
    })
    const values = [pairs.map(({ key }) => key), pairs.map(({ before }) => before), pairs.map(({ sealed }) => sealed)]
    const { length: kept } = pairs.length > 0 ? await database.run(put, values) : []
    passed.resealed += kept
    passed.unreadable += rows.length - pairs.length
    passed.isComplete &&= kept === pairs.length
    // Of a full page the last row is told in any case.
    const next = found.at(-1)
    if (!next?.is_last) return passed
    after = next.key
  }
}

const sealedAnew = (secrets: Secrets, { column: { purpose, contextOf }, row }: { column: SealedColumn; row: Row }): string | undefined => {
  const context = contextOf(row.bound)
  const opened = openedOr(secrets, { purpose, sealed: row.sealed, context })
  return opened === undefined ? undefined : secrets.seal(purpose, opened, context)
}

const openedOr = (secrets: Secrets, { purpose, sealed, context }: { purpose: Purpose; sealed: string; context: string }): string | undefined => {
  try {
    return secrets.unseal(purpose, sealed, context)
  } catch {
    return undefined // counted as unreadable
  }
}

// The row decides whether it is still what was opened: what was written meanwhile is newer. Nothing is waited for, so nobody waits in a circle.
const statementsOf = (column: SealedColumn) => {
  const { table, column: name, key, bound } = column
  const [id, type] = key
  const isOlder = older(column, '$1')
  return {
    find: statement(
      `sealed-find-${nameOf(column)}`,
      `SELECT key, sealed, bound, is_last
       FROM (SELECT t.${id} AS key, CASE WHEN ${isOlder} THEN t.${name} END AS sealed, CASE WHEN ${isOlder} THEN ${bound} END AS bound,
               row_number() OVER (ORDER BY t.${id}) = $3 AS is_last
             FROM ${table} t WHERE t.${id} > $2::${type} ORDER BY t.${id} LIMIT $3) page
       WHERE sealed IS NOT NULL OR is_last ORDER BY key`,
    ),
    count: statement(
      `sealed-count-${nameOf(column)}`,
      `SELECT count(*) FILTER (WHERE is_older)::int AS older, count(*)::int AS rows, (array_agg(key ORDER BY key DESC))[1] AS last
       FROM (SELECT t.${id} AS key, ${isOlder} AS is_older FROM ${table} t WHERE t.${id} > $2::${type} ORDER BY t.${id} LIMIT $3) page`,
    ),
    put: statement(
      `sealed-put-${nameOf(column)}`,
      `WITH free AS MATERIALIZED (SELECT l.${id} AS key FROM ${table} l WHERE l.${id} = ANY ($1::${type}[]) FOR NO KEY UPDATE SKIP LOCKED)
       UPDATE ${table} t SET ${name} = given.sealed
       FROM free JOIN unnest($1::${type}[], $2::text[], $3::text[]) AS given(key, before, sealed) USING (key)
       WHERE t.${id} = given.key AND t.${name} = given.before RETURNING 1`,
    ),
  }
}

const older = ({ column, where }: SealedColumn, prefix: string) =>
  `(t.${column} IS NOT NULL AND NOT starts_with(t.${column}, ${prefix})${where === undefined ? '' : ` AND ${where}`})`

// What stands before every key: a page begins where an index finds it, also for a plan that knows no values.
const beforeAll = { uuid: '00000000-0000-0000-0000-000000000000', bytea: Buffer.alloc(0), text: '' }

const nameOf = ({ table, column }: SealedColumn): string => `${table}.${column}`

const some = (counts: readonly (readonly [string, number])[]): SealedCounts => Object.fromEntries(counts.filter(([, count]) => count > 0))
