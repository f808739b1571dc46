// Opens a copy of an embedded database that another process has open: it is asked for one, and writes nothing for the moment that takes.
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import type { DataLog } from './data-log.ts'
import { type Database, openDatabase } from './database.ts'
import { freeBytes, inMebibytes } from './disk.ts'
import { copyPrefix, copySocket, readLine } from './embedded-copies.ts'
import { isLocked, takeLock } from './lock.ts'
import { StartError } from './start-error.ts'

const floorBytes = 256 * 1_048_576
// Between a copy's folder and the lock in it pass milliseconds.
const lockedWithinMillis = 10_000

/**
 * Opens a database to be read whole: one that is embedded and in use, by a copy that lasts until it is closed or this process leaves.
 * Throws a StartError: those of {@link openDatabase}, `disk_low` and `copy_refused`.
 */
export async function openToRead({ url, dataDir, log }: { url?: string | undefined; dataDir: string; log?: DataLog }): Promise<Database> {
  // Nothing is made where nothing is: a data directory that is not there is a mistake.
  if (url === undefined && !existsSync(join(dataDir, 'postgres')))
    throw new StartError('data_dir_empty', `There is no database in ${resolve(dataDir)}. Check DATA_DIR and DATABASE_URL.`)
  try {
    return await openDatabase({ url, dataDir, log })
  } catch (error) {
    if (!(error instanceof StartError && error.code === 'data_dir_in_use')) throw error
    return openCopy(dataDir, { log, cause: error })
  }
}

async function openCopy(dataDir: string, { log, cause }: { log?: DataLog | undefined; cause: StartError }): Promise<Database> {
  const socket = copySocket(resolve(dataDir, 'run'))
  if (!existsSync(socket)) throw new StartError('copy_refused', `${cause.message} It cannot be read meanwhile: its socket is elsewhere.`, { cause })
  await removeLeft(dataDir)
  refuseFullDisk(dataDir)
  const home = mkdtempSync(join(resolve(dataDir), copyPrefix)) // created 0700
  const remove = () => rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', remove)
  // It is ours from now on; the lock of the copy itself is taken only once that is made.
  const lock = await takeLock(askerOf(home))
  const letGo = () => {
    process.off('exit', remove)
    lock.release()
    remove()
  }
  try {
    const told = await ask(socket, join(home, 'postgres'))
    if (told !== 'done') throw new StartError('copy_refused', `The running server made no copy of its database: ${told || 'it left'}.`)
    const database = await openDatabase({ dataDir: home, log })
    return { ...database, close: () => database.close().finally(letGo) }
  } catch (error) {
    letGo()
    throw error
  }
}

const askerOf = (home: string): string => join(home, 'asker')

/** Removes copies whose process was killed before it could. */
async function removeLeft(dataDir: string): Promise<void> {
  for (const name of readdirSync(dataDir).filter(one => one.startsWith(copyPrefix))) {
    const home = join(dataDir, name)
    const madeAt = statSync(home, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - madeAt < lockedWithinMillis || (await isLocked(askerOf(home))) || (await isLocked(home))) continue
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function ask(path: string, target: string): Promise<string> {
  const socket = connect(path)
  const failed = new Promise<string>(settle => socket.once('error', error => settle(error.message)))
  socket.write(`${target}\n`)
  return Promise.race([failed, readLine(socket)])
}

function refuseFullDisk(dataDir: string): void {
  const files = readdirSync(join(dataDir, 'postgres'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const bytes = files.reduce((sum, { parentPath, name }) => sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  const free = freeBytes(dataDir)
  if (free >= bytes + floorBytes) return
  const needed = inMebibytes(bytes + floorBytes)
  throw new StartError(
    'disk_low',
    `The disk of ${dataDir} has ${inMebibytes(free)} left and a copy of the running database needs ${needed}. Make room, or stop the server.`,
  )
}
