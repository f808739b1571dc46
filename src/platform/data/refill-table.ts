// Writes the rows of one table, and reads back what it holds.
import { createTally, lineOf, type Row, type RowStream, type Tally } from './rows.ts'
import { streamTable } from './snapshot.ts'
import { type Column, type Connection, quoted, type Table } from './tables.ts'

/** Writes all rows of a stream into its table, and tells what they were. */
export async function fillTable(client: Connection, { table, stream }: { table: Table; stream: RowStream }): Promise<Tally> {
  const columns = columnsOf(table, stream.columns)
  const insert = insertInto(table.name, columns)
  const tally = createTally(table.name)
  for await (const rows of stream.pages) {
    for (const row of rows) tally.add(lineOf(row))
    const values = columns.map((_column, place) => rows.map((row: Row) => row[place] ?? null))
    await client.query(insert, values)
  }
  return tally.tell()
}

/** What a table holds in these columns. */
export async function readTally(client: Connection, { table, columns }: { table: Table; columns: readonly string[] }): Promise<Tally> {
  const tally = createTally(table.name)
  for await (const rows of streamTable(client, { ...table, columns: columnsOf(table, columns) }).pages) for (const row of rows) tally.add(lineOf(row))
  return tally.tell()
}

function columnsOf(table: Table, names: readonly string[]): readonly Column[] {
  return names.map(name => {
    const column = table.columns.find(own => own.name === name)
    if (!column) throw new Error(`the table ${table.name} has no column ${name}`)
    return column
  })
}

// A column's values travel as one array of text, and become what they are in the database.
function insertInto(table: string, columns: readonly Column[]): string {
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  const values = columns.map(({ type }, place) => `r.c${place}::${type}`).join(', ')
  const arrays = columns.map((_column, place) => `$${place + 1}::text[]`).join(', ')
  const aliases = columns.map((_column, place) => `c${place}`).join(', ')
  return `INSERT INTO ${quoted(table)} (${names}) SELECT ${values} FROM unnest(${arrays}) AS r(${aliases})`
}
