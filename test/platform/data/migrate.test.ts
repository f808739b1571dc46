import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import pg from 'pg'
import { contracting, crowded } from '../../../scripts/contracting.ts'
import { type Database, openDatabase } from '../../../src/platform/data/database.ts'
import { migrate } from '../../../src/platform/data/migrate.ts'
import { migrationsFolder, readMigrations } from '../../../src/platform/data/migrations.ts'
import { openTestDatabase } from '../../support/database.ts'
import { until } from '../../support/until.ts'

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

test('a commit that the database refuses is told as rolled back, and one whose answer was lost as unknown', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const refused = makeFolder({
    '29990101000000_late':
      'CREATE TABLE late (id integer PRIMARY KEY, next integer REFERENCES late DEFERRABLE INITIALLY DEFERRED); INSERT INTO late VALUES (1, 2);',
  })
  t.teardown(refused.remove)
  await t.throwsAsync(migrate(database, refused), { code: 'migration_failed', message: /was rolled back: .*foreign key/ })
  t.false(await has(database, 'late'))
  const lost = makeFolder({ '29990101000000_lost': 'CREATE TABLE lost (id integer);' })
  t.teardown(lost.remove)
  const client = await database.pool.connect()
  const query = client.query.bind(client) as (given: { text: string }) => Promise<unknown>
  const losing = async (given: { text: string }) => {
    const answer = await query(given)
    if (given.text === 'COMMIT') throw new Error('Connection terminated unexpectedly')
    return answer
  }
  const pool = { connect: async () => Object.assign(client, { query: losing }) } as unknown as Database['pool']
  await t.throwsAsync(migrate({ ...database, pool }, lost), {
    code: 'migration_failed',
    message: /the next start finds out whether it was made: Connection terminated/,
  })
  t.deepEqual(await migrate(database, lost), [])
  t.true(await has(database, 'lost'))
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

// Those up to here are older than any release.
const newestWithoutRule = '20261123133659_idempotency_acted'

test('no migration breaks the version before, unless it says that it contracts', t => {
  const broken = readMigrations()
    .filter(({ name }) => name > newestWithoutRule)
    .flatMap(({ name, sql }) => contracting(sql).map(fault => `${name} ${fault}`))
  t.deepEqual(broken, [])
})

test('what breaks the version before is told of each statement, and what only adds is not', t => {
  const breaking = [
    'ALTER TABLE "users" DROP COLUMN "name";',
    'ALTER TABLE users RENAME COLUMN name TO called;',
    'ALTER TABLE "users" RENAME TO "people";',
    'ALTER TABLE "users" ALTER COLUMN "name" SET NOT NULL;',
    'ALTER TABLE "users" ALTER COLUMN "name" SET DATA TYPE INTEGER;',
    'ALTER TABLE "users" ALTER COLUMN "name" DROP DEFAULT;',
    'ALTER TABLE "users" ADD COLUMN "a" TEXT DEFAULT \'x\',\nADD COLUMN     "b" TEXT NOT NULL;',
    '-- DropTable\nDROP TABLE "users";',
    'CREATE UNIQUE INDEX "users_name_key" ON "users"("name");',
    'ALTER TABLE "users" ADD CONSTRAINT "users_name_key" UNIQUE ("name");',
    'ALTER TABLE "users" ADD CONSTRAINT "users_name_check" CHECK ("name" <> \'\');',
    'ALTER TABLE "users" ADD CONSTRAINT "users_picture_fkey" FOREIGN KEY ("picture") REFERENCES "images"("id");',
    'DROP INDEX "users_email_normalized_key";',
  ]
  for (const sql of breaking) t.is(contracting(sql).length, 1, sql)
  const adding = [
    'ALTER TABLE "users" ADD COLUMN "a" TEXT, ADD COLUMN "b" TEXT NOT NULL DEFAULT \'DROP COLUMN\';',
    'ALTER TABLE "users" ADD COLUMN "a" TEXT, ALTER COLUMN "name" DROP NOT NULL;',
    'CREATE TABLE "made" ("id" UUID NOT NULL); ALTER TABLE "made" ALTER COLUMN "id" DROP DEFAULT;',
    'ALTER TABLE "users" DROP CONSTRAINT "users_kind"; ALTER TABLE "users" ADD CONSTRAINT "users_kind" CHECK (true);',
    'ALTER TABLE "users" ADD COLUMN "nick" TEXT; CREATE UNIQUE INDEX "users_nick_key" ON "users"("nick");',
    'ALTER TABLE "users" ADD COLUMN "a" UUID; ALTER TABLE "users" ADD CONSTRAINT "users_a_fkey" FOREIGN KEY ("a") REFERENCES "images"("id");',
    'DROP INDEX "users_a"; CREATE UNIQUE INDEX "users_a" ON "users"("a") WHERE deleted_at IS NULL;',
    'CREATE FUNCTION one() RETURNS void AS $$ BEGIN ALTER TABLE users RENAME TO people; END; $$ LANGUAGE plpgsql;',
    '-- contract: no version reads it since 1.4\nALTER TABLE "users" DROP COLUMN "name";',
  ]
  for (const sql of adding) t.deepEqual(contracting(sql), [], sql)
})

test('an index on a large table is alone in its file', t => {
  const files = readMigrations().filter(({ name }) => name > newestWithoutRule)
  t.deepEqual(
    files.flatMap(({ name, sql }) => crowded(sql).map(fault => `${name} ${fault}`)),
    [],
  )
  const index = 'CREATE UNIQUE INDEX "i" ON "audit_events"("id") WHERE "a" = \'x;y\';'
  t.is(crowded(`ALTER TABLE "clients" ADD COLUMN "a" TEXT;\n${index}`).length, 1)
  for (const sql of [`-- Why.\n${index}`, `CREATE TABLE "audit_events" ("id" UUID); ${index}`, `SELECT 1; ${index.replace('audit_events', 'made')}`])
    t.deepEqual(crowded(sql), [], sql)
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

onServer('a migration does not wait in front of everybody for a table that is in use: it steps back and is tried again', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  const { folder, remove } = makeFolder({ '29990101000000_busy': 'CREATE TABLE before_it (id integer); ALTER TABLE users ADD COLUMN busy integer;' })
  t.teardown(remove)
  const warnings: string[] = []
  const log = { info: () => undefined, warn: (_about: unknown, text: string) => warnings.push(text), error: () => undefined }
  const holder = await database.pool.connect()
  await holder.query('BEGIN; LOCK TABLE users IN ACCESS SHARE MODE')
  const migrated = migrate(database, { folder, log: log as never })
  await until(() => warnings.length > 0)
  // Whoever asks while it steps back is served.
  await database.pool.query('SELECT count(*) FROM users')
  await holder.query('COMMIT')
  holder.release()
  t.deepEqual(await migrated, ['29990101000000_busy'])
})

onServer('a COMMIT that takes longer than a statement may is waited for, and not told as rolled back', async t => {
  const database = await openTestDatabase()
  t.teardown(() => database.close())
  database.pool.options.query_timeout = 1000
  const { folder, remove } = makeFolder({
    '29990101000000_slow': `CREATE TABLE slow (id integer);
      CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END; $$;
      CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap();
      INSERT INTO slow VALUES (1);`,
  })
  t.teardown(remove)
  t.deepEqual(await migrate(database, { folder }), ['29990101000000_slow'])
  t.true(await has(database, 'slow'))
})
