import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import pg from 'pg'
import { type Database, openDatabase } from '../../../src/platform/data/database.ts'
import { migrate } from '../../../src/platform/data/migrate.ts'
import { migrationsFolder, readMigrations } from '../../../src/platform/data/migrations.ts'
import { openTestDatabase } from '../../support/database.ts'

const ours = readMigrations().map(({ name }) => name)

/** Our migrations and then those given, in a folder of their own. */
function makeFolder(files: Record<string, string>): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'authy2-migrations-'))
  cpSync(migrationsFolder, folder, { recursive: true })
  for (const [name, sql] of Object.entries(files)) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'migration.sql'), sql)
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

const has = async (database: Database, table: string): Promise<boolean> =>
  (await database.pool.query('SELECT to_regclass($1) IS NOT NULL AS found', [table])).rows[0].found

test('migrations are applied once, functions with semicolons inside included', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { folder, remove } = makeFolder({
    '29990101000000_function':
      'CREATE FUNCTION one() RETURNS integer AS $$ BEGIN PERFORM 1; RETURN 1; END; $$ LANGUAGE plpgsql; CREATE TABLE made (id integer);',
  })
  t.teardown(remove)
  t.deepEqual(await migrate(database), [])
  t.deepEqual(await migrate(database, { folder }), ['29990101000000_function'])
  t.deepEqual(await migrate(database, { folder }), [])
  t.is((await database.pool.query('SELECT one() AS one')).rows[0].one, 1)
  const { rows } = await database.pool.query(
    'SELECT migration_name, length(checksum) AS length, applied_steps_count FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY migration_name',
  )
  t.deepEqual(
    rows.map(({ migration_name }) => migration_name),
    [...ours, '29990101000000_function'],
  )
  t.like(rows[0], { length: 64, applied_steps_count: 1 })
})

test('a file that fails is rolled back whole, and may be mended', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { folder, remove } = makeFolder({ '29990101000000_half': 'CREATE TABLE half (id integer); SELECT * FROM nowhere;' })
  t.teardown(remove)
  await t.throwsAsync(migrate(database, { folder }), { name: 'StartError', code: 'migration_failed' })
  t.false(await has(database, 'half'))
  writeFileSync(join(folder, '29990101000000_half', 'migration.sql'), 'CREATE TABLE half (id integer);')
  t.deepEqual(await migrate(database, { folder }), ['29990101000000_half'])
  t.true(await has(database, 'half'))
})

test('a file that was edited after it was applied is refused', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { folder, remove } = makeFolder({})
  t.teardown(remove)
  appendFileSync(join(folder, ours[0] ?? '', 'migration.sql'), '-- edited\n')
  await t.throwsAsync(migrate(database, { folder }), { name: 'StartError', code: 'migration_edited' })
})

test("another tool's history is understood: a row rolled back is nothing, an unfinished one stops, an unknown one is of a newer version", async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { folder, remove } = makeFolder({ '29990101000000_later': 'CREATE TABLE later (id integer);' })
  t.teardown(remove)
  const insert = (name: string, finished: string, rolledBack: string) =>
    database.pool.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at) VALUES (gen_random_uuid()::text, 'x', $1, ${finished}, ${rolledBack})`,
      [name],
    )
  await insert('29990101000000_later', 'NULL', 'now()')
  await insert('30000101000000_newer', 'now()', 'NULL')
  t.deepEqual(await migrate(database, { folder }), ['29990101000000_later'])
  await insert(`${ours[0]}_x`, 'NULL', 'NULL')
  const unfinished = makeFolder({ [`${ours[0]}_x`]: 'SELECT 1' })
  t.teardown(unfinished.remove)
  await t.throwsAsync(migrate(database, { folder: unfinished.folder }), { name: 'StartError', code: 'migration_unfinished' })
})

test('a migration leaves the limits of later statements as they were', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const limit = async () => (await database.pool.query("SELECT current_setting('statement_timeout') AS value")).rows[0].value
  const before = await limit()
  await migrate(database)
  t.is(await limit(), before)
})

const url = process.env.DATABASE_URL
const onServer = url ? test : test.skip

onServer('many processes that start at once apply each file once', async t => {
  const server = new pg.Client(url)
  await server.connect()
  const name = `authy2_race_${process.pid}`
  await server.query(`CREATE DATABASE ${name}`)
  const raceUrl = new URL(url ?? '')
  raceUrl.pathname = `/${name}`
  const databases = await Promise.all(Array.from({ length: 6 }, () => openDatabase({ url: raceUrl.href, dataDir: '', poolSize: 2 })))
  t.teardown(async () => {
    await Promise.all(databases.map(database => database.close()))
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await server.end()
  })
  const applied = await Promise.all(databases.map(database => migrate(database)))
  t.deepEqual(applied.flat(), ours)
})
