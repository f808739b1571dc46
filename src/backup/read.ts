// Reads a backup as it comes: opens it, and gives its rows only as far as they are what was written.
import { pipeline, Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import type { z } from 'zod'
import { createTally, lineOf, type Row, type RowSource, type RowStream, type Tally } from '../platform/data/rows.ts'
import { BackupError, damaged, endSchema, type Header, headerSchema, rowSchema, type Told, tableEndSchema, tableSchema } from './backup.ts'
import type { Cipher } from './cipher.ts'
import { linesIn } from './lines.ts'

/** A backup that is being read: its tables come once, in order, each to be read to its end before the next. */
export interface Opened {
  readonly header: Header
  readonly source: RowSource
}

/** Runs work over a backup. Throws a BackupError `key_wrong`, `version_unknown` or `damaged`, the last as late as the damage lies. */
export async function withBackup<Result>(
  { bytes, cipher }: { bytes: AsyncIterable<Uint8Array>; cipher: Cipher },
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  const opened = await cipher.open(ReadableStream.from(bytes))
  const lines = linesIn(decompressed(opened))
  try {
    const header = parseHeader(await take(lines))
    return await work({ header, source: { migrations: header.migrations, tables: readTables(lines) } })
  } finally {
    await lines.return(undefined)
  }
}

/** Reads all of it and tells what is in it. Throws as {@link withBackup} does. */
export const verifyBackup = (backup: { bytes: AsyncIterable<Uint8Array>; cipher: Cipher }): Promise<Told> =>
  withBackup(backup, async ({ header, source }) => {
    const tables: Tally[] = []
    for await (const { table, pages } of source.tables) {
      const tally = createTally(table)
      for await (const rows of pages) for (const row of rows) tally.add(lineOf(row))
      tables.push(tally.tell())
    }
    return { header, tables }
  })

type Lines = AsyncGenerator<string, undefined, undefined>

async function* readTables(lines: Lines): AsyncGenerator<RowStream> {
  for (let tables = 0; ; tables += 1) {
    const line = await take(lines)
    const head = tableSchema.safeParse(line)
    if (!head.success) {
      if (endSchema.safeParse(line).data?.tables !== tables || !(await lines.next()).done) throw damaged()
      return
    }
    const state = { isRead: false }
    yield { ...head.data, pages: readPages(lines, { ...head.data, state }) }
    if (!state.isRead) throw new Error(`the table ${head.data.table} was not read to its end`)
  }
}

const mostRows = 1000
const pageLength = 1_048_576

async function* readPages(
  lines: Lines,
  { table, columns, state }: { table: string; columns: readonly string[]; state: { isRead: boolean } },
): AsyncGenerator<readonly Row[]> {
  const tally = createTally(table)
  let page: Row[] = []
  let length = 0
  for (;;) {
    const line = await take(lines)
    if (!Array.isArray(line)) {
      if (page.length > 0) yield page
      checkEnd(tableEndSchema.safeParse(line), tally.tell())
      state.isRead = true
      return
    }
    const row = rowSchema.safeParse(line)
    if (!row.success || row.data.length !== columns.length) throw damaged()
    const text = lineOf(row.data)
    tally.add(text)
    page.push(row.data)
    length += text.length
    if (page.length < mostRows && length < pageLength) continue
    yield page
    page = []
    length = 0
  }
}

function checkEnd({ data }: z.ZodSafeParseResult<z.output<typeof tableEndSchema>>, { table, rows, sha256 }: Tally): void {
  if (data?.end !== table || data.rows !== rows || data.sha256 !== sha256) throw damaged()
}

function parseHeader(line: unknown): Header {
  const header = headerSchema.safeParse(line)
  if (header.success) return header.data
  throw new BackupError('version_unknown', 'This is no backup of Authy2, or one of a newer version.', { cause: header.error })
}

async function take(lines: Lines): Promise<unknown> {
  const { value, done } = await lines.next()
  if (done || value === undefined) throw damaged()
  try {
    return JSON.parse(value)
  } catch (cause) {
    throw damaged(cause)
  }
}

const decompressed = (bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> => pipeline(Readable.from(bytes), createZstdDecompress(), () => {})
