// Finds out about the database: by one connection that only reads, to PostgreSQL or to the embedded one of a running server.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import type { DatabaseFacts, Environment } from '../facts.ts'
import { settingsOf } from '../settings.ts'
import { failureOf, patienceMilliseconds } from './failure.ts'
import { gatherKept, gatherKeys, gatherMigrations } from './kept.ts'
import { gatherOlder, gatherSealed } from './sealed.ts'

/** Asks for rows. */
export type Ask = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>

const server = `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS "synchronousCommit", current_setting('full_page_writes') AS "fullPageWrites",
  pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS "isReadOnly",
  (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
  (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS "isEncrypted",
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int
    - (SELECT count(*)::int FROM pg_stat_activity WHERE datid IS NOT NULL AND application_name NOT LIKE 'authy2%' AND application_name <> current_setting('application_name')) AS "roomForConnections"`

const role = `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
  (SELECT count(*)::int FROM pg_database WHERE datdba = pg_roles.oid AND datname <> current_database()) AS databases
  FROM pg_roles WHERE rolname = current_user`

const clock = 'SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds'

interface Role {
  readonly rolsuper: boolean
  readonly rolcreaterole: boolean
  readonly rolcreatedb: boolean
  readonly rolreplication: boolean
  readonly rolbypassrls: boolean
  readonly databases: number
}

/** Asks it; nothing is written, and no embedded database is opened. What is known early is told before what takes long is asked. */
export const gatherDatabase = async (environment: Environment, tell: (facts: DatabaseFacts) => void = () => undefined): Promise<DatabaseFacts> => {
  const url = environment.DATABASE_URL
  const { dataDir } = settingsOf(environment)
  const folder = resolve(dataDir, 'run')
  if (!url && !existsSync(join(folder, '.s.PGSQL.5432'))) return existsSync(join(dataDir, 'postgres')) ? { isClosed: true } : {}
  const embedded = { host: folder, port: 5432, user: 'postgres', database: 'postgres' }
  const client = new pg.Client({
    ...(url ? { connectionString: url, statement_timeout: patienceMilliseconds, application_name: 'authy2-doctor' } : embedded),
    connectionTimeoutMillis: patienceMilliseconds,
    query_timeout: patienceMilliseconds,
  })
  // A connection that breaks fails what is asked over it; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const ask: Ask = async (text, values = []) => (await client.query(text, [...values])).rows
    const facts = { ...(url ? await gatherServer(ask) : {}), ...(await gatherTables(ask, environment)) }
    tell(facts)
    const sealed = facts.sealed && { ...facts.sealed, older: await gatherOlder(ask, environment).catch(notCounted) }
    await client.end()
    return { ...facts, sealed }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

// A table that is locked or too large is no reason to doubt what was told before.
const notCounted = () => undefined

const gatherServer = async (ask: Ask): Promise<DatabaseFacts> => {
  const [facts] = await ask<DatabaseFacts>(server)
  const [held] = await ask<Role>(role)
  const askedAt = Date.now()
  const [told] = await ask<{ seconds: number }>(clock)
  const middle = (askedAt + Date.now()) / 2000
  return { ...facts, powers: held && powersOf(held), clockAheadSeconds: told && told.seconds - middle }
}

const powersOf = (held: Role): string[] => {
  if (held.rolsuper) return ['it is a superuser']
  return [
    ...(held.rolcreaterole ? ['make roles'] : []),
    ...(held.rolcreatedb ? ['make databases'] : []),
    ...(held.rolreplication ? ['replicate'] : []),
    ...(held.rolbypassrls ? ['see through row security'] : []),
    ...(held.databases > 0 ? [`rule ${held.databases} other databases`] : []),
  ]
}

// A schema that is behind lacks tables and columns: what cannot be asked then is absent, and the migrations tell why.
const gatherTables = async (ask: Ask, environment: Environment): Promise<DatabaseFacts> => {
  const migrations = await gatherMigrations(ask)
  if (migrations.isEmpty) return { migrations }
  return {
    migrations,
    keys: await orAbsent(gatherKeys(ask, environment)),
    sealed: await orAbsent(gatherSealed(ask, environment)),
    kept: await orAbsent(gatherKept(ask)),
  }
}

const orAbsent = async <Value>(asked: Promise<Value>): Promise<Value | undefined> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof pg.DatabaseError) return undefined
    throw error
  }
}
