// Throws away the tables of a database: ours alone, and all or none. Prisma's history is in the database of anybody who uses Prisma, so
// it has to begin with our first migration, and a table that none of our migrations made stops everything.
import { type Migration, readMigrations } from './migrations.ts'
import { RefillError } from './refill-error.ts'
import { type Connection, historyName, quoted, readTables } from './tables.ts'

// What an extension brought stays with it.
const tableNames = `
  SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1`

/** Drops all tables of the schema; unless `isReplaced` they must hold nothing. Throws a RefillError `not_ours` or `not_empty`: then none is dropped. */
export async function empty(client: Connection, { isReplaced, folder }: { isReplaced: boolean; folder: string }): Promise<void> {
  const names = (await client.query<{ name: string }>(tableNames)).rows.map(({ name }) => name)
  if (names.length === 0) return
  const migrations = readMigrations(folder)
  const known = new Set([historyName, ...migrations.flatMap(madeBy)])
  const foreign = names.filter(name => !known.has(name))
  if (foreign.length > 0)
    throw new RefillError('not_ours', `The database has tables that are not of this version of Authy2: ${shown(foreign)}. Nothing of it is thrown away.`)
  const applied = names.includes(historyName) ? await appliedNames(client) : []
  // A first start that ended before its first migration leaves an empty history, alone.
  const isOurs = applied.some(name => name === migrations[0]?.name) || (applied.length === 0 && names.every(name => name === historyName))
  if (!isOurs) throw new RefillError('not_ours', 'The database has tables, but no history of the migrations of Authy2: nothing of it is thrown away.')
  const full = isReplaced ? [] : await fullOnes(client)
  if (full.length > 0) throw new RefillError('not_empty', `The database is not empty: there are rows in ${full.join(', ')}.`)
  await client.query(`DROP TABLE ${names.map(quoted).join(', ')} CASCADE`)
}

const madeBy = ({ sql }: Migration): string[] => [...sql.matchAll(/^CREATE TABLE "(\w+)"/gm)].map(([, name = '']) => name)

const shown = (names: readonly string[]): string => (names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', '))

async function appliedNames(client: Connection): Promise<string[]> {
  const { rows } = await client.query<{ migration_name: string }>(`SELECT migration_name FROM ${quoted(historyName)}`)
  return rows.map(({ migration_name: name }) => name)
}

async function fullOnes(client: Connection): Promise<string[]> {
  const full: string[] = []
  for (const { name } of await readTables(client)) {
    const { rows } = await client.query<{ is_full: boolean }>(`SELECT EXISTS (SELECT FROM ${quoted(name)}) AS is_full`)
    if (rows[0]?.is_full) full.push(name)
  }
  return full
}
