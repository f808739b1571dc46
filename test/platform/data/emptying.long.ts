// What is thrown away before a database is filled anew: our tables and nobody else's.
import test from 'ava'
import type { Database } from '../../../src/platform/data/database.ts'
import { empty } from '../../../src/platform/data/emptying.ts'
import { migrationsFolder } from '../../../src/platform/data/migrations.ts'
import { openEmptyDatabase, openTestDatabase } from '../../support/database.ts'

const theirHistory = `CREATE TABLE "_prisma_migrations" (id TEXT PRIMARY KEY, migration_name TEXT);
  INSERT INTO "_prisma_migrations" VALUES ('1', '20240101000000_init')`

/** Empties it, and tells which tables there are afterwards. */
async function emptied(database: Database, isReplaced: boolean): Promise<string[]> {
  const client = await database.pool.connect()
  try {
    await empty(client, { isReplaced, folder: migrationsFolder })
    const { rows } = await client.query<{ tablename: string }>('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
    return rows.map(({ tablename }) => tablename)
  } finally {
    client.release()
  }
}

test('our tables go, with what they hold where they are replaced', async t => {
  const database = await openTestDatabase()
  t.teardown(database.close)
  await database.pool.query("INSERT INTO users (id, email, email_normalized, updated_at) VALUES (gen_random_uuid(), 'a@b.example', 'a@b.example', now())")
  await t.throwsAsync(emptied(database, false), { code: 'not_empty', message: /users/ })
  t.deepEqual(await emptied(database, true), [])
})

test('another application that uses Prisma too keeps its tables, whatever is asked', async t => {
  const database = await openEmptyDatabase()
  t.teardown(database.close)
  await database.pool.query(theirHistory)
  await t.throwsAsync(emptied(database, true), { code: 'not_ours' })
  await database.pool.query('CREATE TABLE invoices (id INT)')
  for (const isReplaced of [true, false]) await t.throwsAsync(emptied(database, isReplaced), { code: 'not_ours', message: /invoices/ })
  t.is((await database.pool.query('SELECT 1 FROM "_prisma_migrations"')).rowCount, 1)
})

test('tables of others beside ours keep everything, also where they are empty', async t => {
  const database = await openTestDatabase()
  t.teardown(database.close)
  await database.pool.query('CREATE TABLE invoices (id INT)')
  for (const isReplaced of [true, false]) await t.throwsAsync(emptied(database, isReplaced), { code: 'not_ours', message: /invoices/ })
  t.is((await database.pool.query('SELECT FROM invoices')).rowCount, 0)
})

test('a start that ended before its first migration stands in nobody’s way', async t => {
  const database = await openEmptyDatabase()
  t.teardown(database.close)
  await database.pool.query(`${theirHistory}; DELETE FROM "_prisma_migrations"`)
  t.deepEqual(await emptied(database, false), [])
})
