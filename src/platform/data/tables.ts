// Which tables a database has, what they consist of and who refers to whom, out of its own catalogue.
import type pg from 'pg'

/** A connection, in a transaction of whoever hands it on. */
export type Connection = Pick<pg.ClientBase, 'query'>

/** A column, with its type as PostgreSQL names it. */
export interface Column {
  readonly name: string
  readonly type: string
}

/** A table. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** The columns of its primary key in order. */
  readonly key: readonly Column[]
}

/** The table of what was migrated: Prisma's own, which says of the schema what the other tables say of the world. */
export const historyName = '_prisma_migrations'

const tablesText = `
  SELECT c.relname AS name,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY k.place)
     FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
    (SELECT json_agg(DISTINCT p.relname) FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
     WHERE f.conrelid = c.oid AND f.contype = 'f') AS parents
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  ORDER BY c.relname COLLATE "C"`

interface Found {
  readonly name: string
  readonly columns: readonly Column[] | null
  readonly key: readonly Column[] | null
  readonly parents: readonly string[] | null
}

/** All tables but the history, those that others refer to first. Throws where tables refer to each other in a circle, or to themselves. */
export async function readTables(client: Connection): Promise<readonly Table[]> {
  const { rows } = await client.query<Found>(tablesText)
  const left = new Map(rows.filter(({ name }) => name !== historyName).map(found => [found.name, found]))
  const ordered: Table[] = []
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ parents }) => !(parents ?? []).some(parent => left.has(parent)))
    if (ready.length === 0) throw new Error(`tables refer to each other in a circle: ${[...left.keys()].join(', ')}`)
    for (const { name, columns, key } of ready) {
      left.delete(name)
      ordered.push({ name, columns: columns ?? [], key: key ?? [] })
    }
  }
  return ordered
}

/** A name as SQL takes it, whatever it is. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A column that numbers its rows, and what counts for it; `sequence` is quoted. */
export interface Numbered {
  readonly sequence: string
  readonly table: string
  readonly column: string
}

/** Reads which columns are numbered by the database. */
export async function readSequences(client: Connection): Promise<readonly Numbered[]> {
  const { rows } = await client.query<Numbered>(`
    SELECT s.oid::regclass::text AS sequence, t.relname AS table, a.attname AS column
    FROM pg_class s
    JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = current_schema()
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S'`)
  return rows
}
