// Reads a whole database as it was at one moment: every table, row by row, while others go on writing.
import type pg from 'pg'
import type { Database } from './database.ts'
import type { AppliedMigration, Row, RowSource, RowStream } from './rows.ts'
import { type Connection, historyName, quoted, readTables, type Table } from './tables.ts'

/** What makes a transaction of ours write values alike everywhere, and take as long as it takes. */
export const plainSettings = `SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = 0;
  SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`

// The longest that a timer can wait.
const endless = { query_timeout: 0x7fff_ffff }

/** The same connection without its own reading time limit, which does not fit work on whole tables either: not one statement of it, `COMMIT` among them. */
export function unhurried(client: Connection): Connection {
  const query = (given: string | pg.QueryConfig, values?: unknown[]) =>
    client.query({ ...(typeof given === 'string' ? { text: given } : given), ...(values && { values }), ...endless })
  return { query: query as Connection['query'] }
}

const pageBytes = 1_048_576
const mostRows = 1000

/** Runs work over one moment of a database: one read-only transaction. `isRead` says which tables are read. */
export async function withSnapshot<Result>(
  database: Database,
  { isRead = () => true, work }: { isRead?: (table: string) => boolean; work: (source: RowSource) => Promise<Result> },
): Promise<Result> {
  const held = await database.pool.connect()
  const client = unhurried(held)
  let isWhole = false
  try {
    return await database.unwatched(async () => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      await client.query(plainSettings)
      const tables = await readTables(client)
      const migrations = await readHistory(client)
      const result = await work({
        migrations,
        tables: streamAll(
          client,
          tables.filter(({ name }) => isRead(name)),
        ),
      })
      await client.query('COMMIT')
      isWhole = true
      return result
    })
  } finally {
    // The embedded session outlives its connection, and so would the transaction.
    if (!isWhole) await client.query('ROLLBACK').catch(() => undefined)
    held.release(!isWhole)
  }
}

/** The migrations that a database has, in order; none where it was never migrated. */
export async function readHistory(client: Connection): Promise<readonly AppliedMigration[]> {
  const { rows: found } = await client.query<{ is_there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is_there', [quoted(historyName)])
  if (!found[0]?.is_there) return []
  const { rows } = await client.query<AppliedMigration>(
    `SELECT migration_name AS name, checksum FROM ${quoted(historyName)} WHERE rolled_back_at IS NULL AND finished_at IS NOT NULL ORDER BY migration_name COLLATE "C"`,
  )
  return rows.map(({ name, checksum }) => ({ name, checksum }))
}

/** Streams the rows of a table in the order of its key. Works inside a transaction that has {@link plainSettings}. */
export const streamTable = (client: Connection, table: Table): RowStream => ({
  table: table.name,
  columns: table.columns.map(({ name }) => name),
  pages: readPages(client, table),
})

async function* streamAll(client: Connection, tables: readonly Table[]): AsyncGenerator<RowStream> {
  for (const table of tables) yield streamTable(client, table)
}

async function* readPages(client: Connection, { name, columns, key }: Table): AsyncGenerator<readonly Row[]> {
  if (key.length === 0) throw new Error(`the table ${name} has no primary key to read it by`)
  const values = columns.map(column => `t.${quoted(column.name)}::text`)
  await client.query(`DECLARE whole_table NO SCROLL CURSOR FOR SELECT ${values.join(', ')} FROM ${quoted(name)} t ORDER BY ${key.map(inBytes).join(', ')}`)
  for (let size = 16; ; ) {
    const { rows } = await client.query<Array<string | null>>({ text: `FETCH ${size} FROM whole_table`, rowMode: 'array' })
    if (rows.length > 0) yield rows
    if (rows.length < size) break
    size = nextSize(size, rows)
  }
  await client.query('CLOSE whole_table')
}

// Each database sorts text by a collation of its own; bytes are the same everywhere.
const inBytes = ({ name, type }: { name: string; type: string }) => `t.${quoted(name)}${/^(text|character|"char"|name)/.test(type) ? ' COLLATE "C"' : ''}`

/** Pages of about a mebibyte, growing slowly: large rows may follow small ones. */
function nextSize(size: number, rows: readonly Row[]): number {
  let bytes = 0
  for (const row of rows) for (const value of row) bytes += value?.length ?? 0
  return Math.max(1, Math.min(mostRows, 2 * size, Math.floor((size * pageBytes) / Math.max(1, bytes))))
}
