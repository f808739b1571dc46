// Rows as text: the same for the same values in every PostgreSQL, so that two databases, or a database and a file, can be held against each other.
import { createHash } from 'node:crypto'

/** The values of a row in the order of its table's columns, each as PostgreSQL writes it. */
export type Row = readonly (string | null)[]

/** What a table amounts to: how many rows, and the SHA-256 of them all in the order of their keys, in hexadecimal. */
export interface Tally {
  readonly table: string
  readonly rows: number
  readonly sha256: string
}

/** A table's rows on their way, some at a time, in the order of their keys. */
export interface RowStream {
  readonly table: string
  readonly columns: readonly string[]
  readonly pages: AsyncIterable<readonly Row[]>
}

/** A whole database on its way: what it was migrated by, and its tables, those that others refer to first. */
export interface RowSource {
  readonly migrations: readonly AppliedMigration[]
  readonly tables: AsyncIterable<RowStream>
}

/** A migration that a database has. */
export interface AppliedMigration {
  readonly name: string
  /** SHA-256 of its file in hexadecimal. */
  readonly checksum: string
}

/** A row as a line of text. */
export const lineOf = (row: Row): string => `${JSON.stringify(row)}\n`

/** Counts rows, and hashes their lines as they come. */
export function createTally(table: string) {
  const hash = createHash('sha256')
  let rows = 0
  return {
    add: (line: string) => {
      hash.update(line)
      rows += 1
    },
    tell: (): Tally => ({ table, rows, sha256: hash.copy().digest('hex') }),
  }
}

/** Whether two tables hold the same. */
export const isSameTally = (tally: Tally, other: Tally): boolean => tally.rows === other.rows && tally.sha256 === other.sha256
