// Brings the database to the newest schema. Its history is Prisma's own table, so that Prisma's tools read it too.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type DataLog, silent } from './data-log.ts'
import type { Database } from './database.ts'
import { type Migration, migrationsFolder, readMigrations } from './migrations.ts'
import { unhurried } from './snapshot.ts'
import { StartError } from './start-error.ts'
import type { Connection } from './tables.ts'

/** Prisma's own lock number: `prisma migrate deploy` and we wait for each other. */
export const lockNumber = 72707369

/** Makes the table of what was applied, where it is missing. */
export const historyTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`

// A statement that waits for a busy table makes everybody after it wait too, so it gives up soon, and its file is tried again later.
const lockMilliseconds = 2000
const statementMilliseconds = 600_000
const maxTries = 20
const lockNotAvailable = '55P03'

interface HistoryRow {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: Date | null
}

/**
 * Applies the migrations that are missing and gives their names. Each file and its row of history commit together or not at all.
 * Processes that start at once apply them once. Throws a StartError `migration_edited`, `migration_unfinished` or `migration_failed`.
 */
export async function migrate(database: Database, { folder = migrationsFolder, log = silent }: { folder?: string; log?: DataLog } = {}): Promise<string[]> {
  const migrations = readMigrations(folder)
  const held = await database.pool.connect()
  const client = unhurried(held)
  try {
    return await database.unwatched(async () => {
      await client.query(
        `SET statement_timeout = ${statementMilliseconds}; SET lock_timeout = ${lockMilliseconds}; SET idle_in_transaction_session_timeout = 0`,
      )
      await lock(client, log)
      return await applyMissing(client, migrations, log)
    })
  } finally {
    // The connection ends here, and with it the lock and the settings; the embedded session lives on.
    if (database.embedded) await client.query(`RESET statement_timeout; RESET lock_timeout; SELECT pg_advisory_unlock_all()`).catch(lostWith(log))
    held.release(true)
  }
}

async function lock(client: Connection, log: DataLog): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    if (tries === 1) log.info({}, 'Another process migrates the database: waiting for it.')
    // Asked again and again, not waited for: a waiting statement is a snapshot that CREATE INDEX CONCURRENTLY would wait for in turn.
    const { rows } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${lockNumber}) AS locked`)
    if (rows[0]?.locked) return
    await sleep(100)
  }
}

async function applyMissing(client: Connection, migrations: readonly Migration[], log: DataLog): Promise<string[]> {
  await client.query(historyTable)
  const { rows } = await client.query<HistoryRow>('SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL')
  const history = new Map(rows.map(row => [row.migration_name, row]))
  const unknown = rows.map(row => row.migration_name).filter(name => !migrations.some(migration => migration.name === name))
  if (unknown.length > 0) log.warn({ migrations: unknown }, 'The database knows migrations that this version does not: a newer version has run.')
  const missing = migrations.filter(migration => !isApplied(migration, history.get(migration.name)))
  for (const migration of missing) {
    await apply(client, migration, log)
    log.info({ migration: migration.name }, 'Migration applied.')
  }
  return missing.map(({ name }) => name)
}

function isApplied({ name, checksum }: Migration, row: HistoryRow | undefined): boolean {
  if (row === undefined) return false
  if (row.finished_at === null)
    throw new StartError(
      'migration_unfinished',
      `The migration ${name} was begun by another tool and did not finish. Repair the database and run "prisma migrate resolve".`,
    )
  if (row.checksum !== checksum)
    throw new StartError(
      'migration_edited',
      `The migration ${name} was edited after it was applied. Restore the file, and put the change into a new migration.`,
    )
  return true
}

async function apply(client: Connection, migration: Migration, log: DataLog): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await applyOnce(client, migration, log)
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      if (tries >= maxTries || !(cause instanceof Error && 'code' in cause && cause.code === lockNotAvailable)) throw error
      log.warn({ migration: migration.name }, 'A migration waits for a table that is in use, and is tried again.')
      await sleep(500)
    }
  }
}

async function applyOnce(client: Connection, { name, sql, checksum }: Migration, log: DataLog): Promise<void> {
  let isAtCommit = false
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await recordMigration(client, { name, checksum })
    isAtCommit = true
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(lostWith(log))
    const reason = error instanceof Error ? error.message : String(error)
    // What the database itself says of a commit is that it was none; where it could say nothing, the commit may have been made.
    const end = isAtCommit && !(error instanceof pg.DatabaseError) ? 'was at its commit, and the next start finds out whether it was made' : 'was rolled back'
    throw new StartError('migration_failed', `The migration ${name} failed and ${end}: ${reason}`, { cause: error })
  }
}

/** Writes into the history, as Prisma does, that a migration was applied. */
export async function recordMigration(client: Connection, { name, checksum }: Pick<Migration, 'name' | 'checksum'>): Promise<void> {
  await client.query('INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)', [
    randomUUID(),
    checksum,
    name,
  ])
}

/** A connection that is gone has rolled back and unlocked by going. */
const lostWith = (log: DataLog) => (error: unknown) => log.warn({ err: error }, 'The connection was lost while migrating.')
