// A fresh, migrated database for a test file: embedded, or on the server of DATABASE_URL.
import { createHash, randomBytes } from 'node:crypto'
import { constants, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Database, openDatabase } from '../../src/platform/data/database.ts'
import { migrate } from '../../src/platform/data/migrate.ts'
import { readMigrations } from '../../src/platform/data/migrations.ts'

const cache = fileURLToPath(new URL('../../node_modules/.cache/authy2', import.meta.url))

/** What a test's database holds from the start, besides the schema; `key` names this state of it. */
export interface Filling {
  readonly key: string
  readonly fill: (database: Database) => Promise<void>
}

/** Opens a database of the test's own, a copy of one that was migrated and filled once. Closing it removes it. `isBrief` as of an embedded one. */
export async function openTestDatabase(filling?: Filling, { isBrief = true } = {}): Promise<Database> {
  const url = process.env.DATABASE_URL
  return url ? await onServer(url, filling) : await embedded(isBrief, filling)
}

/** Opens an empty database of the test's own, where those of tests are, or on the given server. Closing it removes it. */
export async function openEmptyDatabase(url = process.env.DATABASE_URL): Promise<Database> {
  if (url) {
    const server = new pg.Client(url)
    await server.connect()
    const name = `authy2_test_${randomBytes(6).toString('hex')}`
    await server.query(`CREATE DATABASE ${name} TEMPLATE template0`)
    return closingAlso(await openDatabase({ url: databaseUrl(url, name), dataDir: '', poolSize: 10 }), () => dropDatabase(server, name))
  }
  const { dataDir, remove } = makeDataDir()
  return closingAlso(await openDatabase({ dataDir, isBrief: true }), async () => remove())
}

async function dropDatabase(server: pg.Client, name: string): Promise<void> {
  await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
  await server.end()
}

/** A new folder for a data directory, and what removes it. */
export function makeDataDir(): { dataDir: string; remove(): void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'authy2-test-'))
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }) }
}

/** A data directory that holds a migrated database already: twice as fast as an empty one. */
export async function makeMigratedDataDir(): Promise<{ dataDir: string; remove(): void }> {
  return copyOf(await templateFolder())
}

async function embedded(isBrief: boolean, filling?: Filling): Promise<Database> {
  const { dataDir, remove } = copyOf(await templateFolder(filling))
  const database = await openDatabase({ dataDir, isBrief })
  return closingAlso(database, async () => remove())
}

function copyOf(template: string): { dataDir: string; remove(): void } {
  const made = makeDataDir()
  cpSync(template, join(made.dataDir, 'postgres'), { recursive: true, mode: constants.COPYFILE_FICLONE })
  return made
}

/** The files of a closed database, made once a version of the migrations and of what it is filled with. */
async function templateFolder(filling?: Filling): Promise<string> {
  const folder = join(cache, `database-${templateKey(filling)}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  removeOld()
  const dataDir = mkdtempSync(join(cache, 'making-'))
  const database = await openDatabase({ dataDir, isBrief: true })
  await migrate(database)
  await filling?.fill(database)
  await dropTemplates(database)
  await database.close()
  try {
    renameSync(join(dataDir, 'postgres'), folder)
  } catch (error) {
    if (!existsSync(folder)) throw error // else another test process was quicker
  }
  rmSync(dataDir, { recursive: true, force: true })
  return folder
}

/** What other databases would be made from: half of the files that each test would copy. */
async function dropTemplates({ pool }: Database): Promise<void> {
  await pool.query("UPDATE pg_database SET datistemplate = false WHERE datname LIKE 'template_'")
  for (const name of ['template0', 'template1']) await pool.query(`DROP DATABASE ${name}`)
}

/** Templates of a day ago: each change of the source makes new ones. */
function removeOld(): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (/^(database|making)-/.test(name) && Date.now() - statSync(path).ctimeMs > 86_400_000) rmSync(path, { recursive: true, force: true })
  }
}

async function onServer(url: string, filling?: Filling): Promise<Database> {
  const server = new pg.Client(url)
  await server.connect()
  const name = `authy2_test_${randomBytes(6).toString('hex')}`
  await server.query(`CREATE DATABASE ${name} TEMPLATE ${await templateDatabase(server, url, filling)}`)
  const database = await openDatabase({ url: databaseUrl(url, name), dataDir: '', poolSize: 15 })
  return closingAlso(database, () => dropDatabase(server, name))
}

async function templateDatabase(server: pg.Client, url: string, filling?: Filling): Promise<string> {
  const name = `authy2_template_${templateKey(filling)}`
  await server.query('SELECT pg_advisory_lock(72707370)')
  try {
    const { rows } = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (rows.length > 0) return name
    await server.query(`DROP DATABASE IF EXISTS ${name}_making WITH (FORCE)`)
    await server.query(`CREATE DATABASE ${name}_making`)
    const database = await openDatabase({ url: databaseUrl(url, `${name}_making`), dataDir: '', poolSize: 1 })
    await migrate(database)
    await filling?.fill(database)
    await database.close()
    await server.query(`ALTER DATABASE ${name}_making RENAME TO ${name}`)
    return name
  } finally {
    await server.query('SELECT pg_advisory_unlock(72707370)')
  }
}

function databaseUrl(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function templateKey(filling?: Filling): string {
  const checksums = readMigrations().map(({ name, checksum }) => name + checksum)
  const hash = createHash('sha256')
    .update(checksums.join())
    .update(filling?.key ?? '')
  return hash.digest('hex').slice(0, 16)
}

function closingAlso(database: Database, also: () => Promise<void>): Database {
  return {
    ...database,
    close: async () => {
      await database.close()
      await also()
    },
  }
}
