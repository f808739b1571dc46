// Writes a backup: one moment of a database as lines of text, compressed (zstd) and closed, a page of rows in memory at a time.
import { pipeline, Readable } from 'node:stream'
import { createZstdCompress } from 'node:zlib'
import type { Database } from '../platform/data/database.ts'
import { createTally, lineOf, type RowSource, type Tally } from '../platform/data/rows.ts'
import { withSnapshot } from '../platform/data/snapshot.ts'
import type { Secrets } from '../platform/secrets.ts'
import { BackupError, type Header, type Told } from './backup.ts'
import { type Cipher, keyCheckOf } from './cipher.ts'
import { leftOut } from './table-rules.ts'

interface Needs {
  readonly secrets: Secrets
  readonly cipher: Cipher
  readonly now: () => Date
  readonly newId: () => string
}

/** Writes one and tells what is in it. `write` takes all of it, in order. Throws a BackupError `nothing_there`. */
export async function writeBackup(
  database: Database,
  { write, ...needs }: Needs & { write: (bytes: AsyncIterable<Uint8Array>) => Promise<void> },
): Promise<Told> {
  const isRead = (table: string) => !(table in leftOut)
  return await withSnapshot(database, {
    isRead,
    work: async source => {
      if (source.migrations.length === 0) throw new BackupError('nothing_there', 'This database was never one of Authy2: check DATABASE_URL and DATA_DIR.')
      const header = headerOf(source, needs)
      const tables: Tally[] = []
      const lines = linesOf(source, { header, onTable: tally => tables.push(tally) })
      await write(await needs.cipher.close(ReadableStream.from(compressed(inChunks(lines)))))
      return { header, tables }
    },
  })
}

function headerOf({ migrations }: RowSource, { secrets, now, newId }: Needs): Header {
  const id = newId()
  return {
    format: 'authy2-backup',
    version: 1,
    id,
    created_at: now().toISOString(),
    key_check: keyCheckOf(secrets, id),
    migrations: [...migrations],
    left_out: Object.keys(leftOut),
  }
}

async function* linesOf(source: RowSource, { header, onTable }: { header: Header; onTable: (tally: Tally) => void }): AsyncGenerator<string> {
  const said = (value: object) => `${JSON.stringify(value)}\n`
  yield said(header)
  let tables = 0
  for await (const { table, columns, pages } of source.tables) {
    yield said({ table, columns })
    const counted = createTally(table)
    for await (const rows of pages)
      for (const row of rows) {
        const line = lineOf(row)
        counted.add(line)
        yield line
      }
    const tally = counted.tell()
    yield said({ end: table, rows: tally.rows, sha256: tally.sha256 })
    onTable(tally)
    tables += 1
  }
  yield said({ complete: true, tables })
}

const chunkBytes = 65_536

async function* inChunks(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let kept = ''
  for await (const line of lines) {
    kept += line
    if (kept.length < chunkBytes) continue
    yield Buffer.from(kept)
    kept = ''
  }
  yield Buffer.from(kept)
}

// An error on either side ends both; whoever reads is told of it.
const compressed = (chunks: AsyncIterable<Buffer>): AsyncIterable<Uint8Array> => pipeline(Readable.from(chunks), createZstdCompress(), () => {})
