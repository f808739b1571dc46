// npm run backup -- FILE [--replace] | -     writes an encrypted backup of the whole database, while the server runs. npm run backup -- --verify FILE     reads one and tells what is in it.
import { existsSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { misused, readArguments } from '../src/arguments.ts'
import { BackupError } from '../src/backup/backup.ts'
import { listDrafts, readWhole, writeWhole } from '../src/backup/files.ts'
import { verifyBackup } from '../src/backup/read.ts'
import { writeBackup } from '../src/backup/write.ts'
import { openToRead } from '../src/platform/data/embedded-copy.ts'
import { type Open, tableText, withBackups } from './with-backups.ts'

const usage = `Usage: npm run backup -- FILE [options]
  FILE                    where it is written, readable for you alone; - is the standard output (with npm run --silent)
  --replace               write over a file that is there; else there must be none
  --verify                reads FILE instead and tells what is in it; needs no database
Encrypted under BACKUP_KEY, or under SECRET_KEY where that is not set. The file of either key is not in it: keep it elsewhere.`

const given = readArguments({ usage, positionals: 1, options: { verify: { type: 'boolean', default: false }, replace: { type: 'boolean', default: false } } })
const [file] = given?.positionals ?? []

if (given && file === undefined) misused(usage, 'One file is named.')
else if (given && file !== undefined) await withBackups(open => (given.values.verify ? verify(open, file) : write(open, file)))

async function verify({ cipher }: Open, file: string): Promise<void> {
  const { header, tables } = await verifyBackup({ bytes: readWhole(file), cipher })
  console.log(
    `${tableText(tables)}\nWhole: made at ${header.created_at}, with ${header.migrations.length} migrations, the last ${header.migrations.at(-1)?.name}.`,
  )
}

async function write({ config, ...needs }: Open, file: string): Promise<void> {
  if (file !== '-' && !given?.values.replace && existsSync(file))
    throw new BackupError('file_exists', `There is a file ${file} already, and nothing was written: name another one, or write over it with --replace.`)
  // The draft takes the place of whatever has the name: a device or a pipe would be gone.
  if (file !== '-' && statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new BackupError('file_special', `${file} is no file that could be written over: name a file, or - for the standard output.`)
  const database = await openToRead({ url: config.databaseUrl, dataDir: config.dataDir })
  try {
    const take = (bytes: AsyncIterable<Uint8Array>) => (file === '-' ? pipeline(bytes, process.stdout, { end: false }) : writeWhole(file, bytes))
    const { tables } = await writeBackup(database, { ...needs, write: take })
    // Standard output may be the backup itself.
    console.error(`${tableText(tables)}\nWritten: ${file}`)
    for (const draft of file === '-' ? [] : listDrafts(file)) console.error(`Unfinished: ${draft}. Remove it, unless another backup is writing it.`)
  } finally {
    await database.close()
  }
}
