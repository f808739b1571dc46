// Fills a database anew from another one or from a file, in one transaction: afterwards it is all there, checked, or nothing has changed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.ts'
import { empty } from './emptying.ts'
import { historyTable, lockNumber, recordMigration } from './migrate.ts'
import { type Migration, migrationsFolder, readMigrations } from './migrations.ts'
import { RefillError } from './refill-error.ts'
import { fillTable, readTally } from './refill-table.ts'
import { type AppliedMigration, isSameTally, type RowSource, type Tally } from './rows.ts'
import { plainSettings, unhurried } from './snapshot.ts'
import { type Connection, quoted, readSequences, readTables } from './tables.ts'

/** What {@link refill} is told. */
export interface RefillOptions {
  readonly source: RowSource
  /** Whether what the database holds is thrown away; else it must hold nothing. */
  readonly isReplaced?: boolean
  /** Done at the beginning, on what is thrown away, in the same transaction. */
  readonly begin?: ((client: Connection) => Promise<void>) | undefined
  /** Done at the end, on the newest schema, in the same transaction. */
  readonly finish?: (client: Connection) => Promise<void>
  readonly folder?: string
}

/**
 * Throws away the tables there are, makes those of the source's schema, fills them, holds each against what came, and migrates on to our
 * schema. Gives what each table holds. Throws a {@link RefillError}, and whatever the source throws: then nothing has changed.
 */
export async function refill(
  database: Database,
  { source, isReplaced = false, begin, finish, folder = migrationsFolder }: RefillOptions,
): Promise<readonly Tally[]> {
  const { had, missing } = divide(readMigrations(folder), source.migrations)
  const held = await database.pool.connect()
  const client = unhurried(held)
  let isWhole = false
  try {
    return await database.unwatched(async () => {
      await client.query('BEGIN')
      await client.query(plainSettings)
      await refuseCompany(client, database)
      await begin?.(client)
      await empty(client, { isReplaced, folder })
      await client.query(historyTable)
      for (const migration of had) await apply(client, migration)
      const tallies = await fillAll(client, source)
      await continueNumbers(client)
      for (const migration of missing) await apply(client, migration)
      await finish?.(client)
      await client.query('COMMIT')
      isWhole = true
      await analyze(client)
      return tallies
    })
  } finally {
    if (!isWhole) await client.query('ROLLBACK').catch(() => undefined)
    // The next connection finds nothing prepared for tables that are gone.
    held.release(true)
  }
}

// A planner that knows nothing of its tables takes slow ways through them, until the database looks at them by itself: what was committed is no failure.
async function analyze(client: Connection): Promise<void> {
  const work = async () => {
    await client.query('SET statement_timeout = 0')
    await client.query('ANALYZE')
  }
  await work().catch(() => undefined)
}

/** Which of our migrations the source had, and which it lacks. */
function divide(ours: readonly Migration[], theirs: readonly AppliedMigration[]) {
  const known = new Map(ours.map(migration => [migration.name, migration]))
  for (const { name, checksum } of theirs) {
    const own = known.get(name)
    if (!own) throw new RefillError('schema_newer', `It was made by a newer version of Authy2, whose migration ${name} is not known here.`)
    if (own.checksum !== checksum) throw new RefillError('migration_edited', `The migration ${name} is another here than where this was made.`)
  }
  const names = new Set(theirs.map(({ name }) => name))
  return { had: ours.filter(({ name }) => names.has(name)), missing: ours.filter(({ name }) => !names.has(name)) }
}

/** Nobody migrates meanwhile, and no server is at work: it would go on with what it remembers. */
async function refuseCompany(client: Connection, database: Database): Promise<void> {
  const { rows: locks } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_xact_lock(${lockNumber}) AS locked`)
  if (!locks[0]?.locked) throw new RefillError('being_migrated', 'Another process is migrating the database.')
  if (database.embedded) return
  // Connections that were just ended are still told of for a moment.
  for (let tries = 20; await isAccompanied(client, database); tries -= 1) {
    if (tries === 0) throw new RefillError('in_use', 'Servers of Authy2 are connected to the database: stop them first.')
    await sleep(100)
  }
}

async function isAccompanied(client: Connection, database: Database): Promise<boolean> {
  await client.query('SELECT pg_stat_clear_snapshot()')
  const { rows } = await client.query<{ count: number }>(
    // A connection's URL may name it otherwise: then ours is named so too.
    "SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('authy2', current_setting('application_name'))",
  )
  return (rows[0]?.count ?? 0) > database.openConnections()
}

async function apply(client: Connection, migration: Migration): Promise<void> {
  await client.query(migration.sql)
  await recordMigration(client, migration)
}

// A row that is added next is to come after those that are there.
async function continueNumbers(client: Connection): Promise<void> {
  for (const { sequence, table, column } of await readSequences(client))
    await client.query(`SELECT setval($1::regclass, max(${quoted(column)})) FROM ${quoted(table)} HAVING max(${quoted(column)}) IS NOT NULL`, [sequence])
}

async function fillAll(client: Connection, source: RowSource): Promise<readonly Tally[]> {
  const tables = new Map((await readTables(client)).map(table => [table.name, table]))
  const tallies: Tally[] = []
  for await (const stream of source.tables) {
    const table = tables.get(stream.table)
    if (!table) throw new RefillError('differs', `There is no table ${stream.table} in the schema that it says to have.`)
    const came = await fillTable(client, { table, stream })
    // Read back what was written: what the database made of it is what counts.
    const written = await readTally(client, { table, columns: stream.columns })
    if (!isSameTally(came, written)) throw new RefillError('differs', `The table ${table.name} does not hold what was written into it.`)
    tallies.push(written)
  }
  return tallies
}
