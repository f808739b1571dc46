// Where sealed values stand in a database, found by what they look like.
import type { Resources } from '../../src/resources.ts'
import { sealedColumns } from '../../src/sealed-columns.ts'

/** The columns, as `table.column`, that hold a sealed value and that nothing seals anew; JSON with a sealed part is let be, for it lives an hour. */
export async function unlistedSealed({ database: { pool } }: Pick<Resources, 'database'>): Promise<readonly string[]> {
  const listed = new Set(sealedColumns.map(({ table, column }) => `${table}.${column}`))
  const { rows } = await pool.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema = 'public' AND (data_type IN ('text', 'json', 'jsonb') OR data_type = 'ARRAY')`,
  )
  const found: string[] = []
  for (const { table, column } of rows) {
    if (listed.has(`${table}.${column}`) || `${table}.${column}` === 'oidc_artifacts.payload') continue
    const { rowCount } = await pool.query(`SELECT 1 FROM "${table}" WHERE "${column}"::text ~ '\\mv2\\.[A-Za-z0-9_-]{7,8}\\.[A-Za-z0-9_-]{38}' LIMIT 1`)
    if (rowCount) found.push(`${table}.${column}`)
  }
  return found
}
