// Backups in files: readable for their owner alone, and there whole or not at all.
import { readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupError } from './backup.ts'

/** Writes a file through a draft beside it, which becomes the file once all of it is on the disk. */
export async function writeWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${path}.${process.pid}.part`
  const remove = () => rmSync(draft, { force: true })
  process.once('exit', remove)
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      for await (const chunk of bytes) await file.writeFile(chunk)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    await syncFolder(dirname(path))
  } finally {
    process.off('exit', remove)
    remove() // gone already where it became the file
  }
}

/** The drafts beside a file: of backups that are being written, or that were killed. */
export const listDrafts = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter(name => /\.\d+\.part$/.test(name))
    .map(name => join(dirname(path), name))

/** The bytes of a file, from its beginning each time. Throws a BackupError `file_missing` or `file_unreadable`, as late as it comes to that. */
export async function* readWhole(path: string): AsyncGenerator<Uint8Array, undefined, undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    yield* file.createReadStream({ autoClose: false })
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) throw cause
    if (cause.code === 'ENOENT') throw new BackupError('file_missing', `There is no file ${path}.`, { cause })
    throw new BackupError('file_unreadable', `The file ${path} cannot be read: ${cause.message}.`, { cause })
  } finally {
    await file?.close()
  }
  return undefined
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
