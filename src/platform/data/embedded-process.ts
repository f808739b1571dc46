// The process of the embedded database: PGlite behind a private unix socket, obeying its server's word and no signal.
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { freeBytes } from './disk.ts'
import { copySocket, serveCopies } from './embedded-copies.ts'
import type { EmbeddedSettings, Order, Report } from './embedded-messages.ts'
import { type DatabaseSocket, serveDatabase } from './embedded-socket.ts'
import { closeToOthers } from './private-files.ts'

// Ctrl-C in a terminal reaches every process of the group: the server drains first, and tells us when.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.umask(0o077)

const stuckMillis = 30_000
const closeMillis = 8_000
const settings = JSON.parse(process.argv[2] ?? '') as EmbeddedSettings

const opening = open().catch((error: Error) => {
  tell({ kind: 'failed', message: error.message })
  setTimeout(() => process.exit(1), 100)
  return undefined
})
process.on('message', (order: Order) => {
  if (order.kind === 'stop') void leave()
})
// The server is gone, by whatever way: close the database and follow.
process.on('disconnect', () => void leave())

const opened = await opening
if (!process.connected)
  void leave() // the server left before we listened for it
else if (opened) {
  tell({ kind: 'ready' })
  beat(opened)
}

interface Opened {
  readonly database: PGlite
  readonly socket: DatabaseSocket
  /** When a message was last answered. */
  readonly lastAnswerAt: () => number
}

async function open(): Promise<Opened> {
  // Imported here, so that the signals above are deaf before the second that this takes.
  const { PGlite } = await import('@electric-sql/pglite')
  mkdirSync(settings.directory, { recursive: true, mode: 0o700 })
  chmodSync(settings.directory, 0o700)
  const database = await PGlite.create({ dataDir: settings.directory })
  closeToOthers(settings.directory)
  let lastAnswerAt = performance.now()
  rmSync(settings.socket, { force: true })
  const socket = await serveDatabase({
    database,
    path: settings.socket,
    maxConnections: 8,
    onAnswered: () => {
      lastAnswerAt = performance.now()
    },
    onBroken: error => {
      console.error('the embedded database broke', error)
      process.exit(1)
    },
  })
  await serveCopies({
    directory: settings.directory,
    socket: copySocket(dirname(settings.socket)),
    // Between two statements, whoever's they are: to a copy made then, what is not committed is as after a crash.
    atRest: work =>
      database.runExclusive(async () => {
        const alive = setInterval(() => {
          lastAnswerAt = performance.now()
        }, 1000)
        await work().finally(() => clearInterval(alive))
      }),
  })
  return { database, socket, lastAnswerAt: () => lastAnswerAt }
}

let isLeaving = false
async function leave(): Promise<void> {
  if (isLeaving) return
  isLeaving = true
  setTimeout(() => process.exit(1), closeMillis).unref()
  const found = await opening
  await found?.socket.stop()
  await found?.database.close()
  for (const socket of [settings.socket, copySocket(dirname(settings.socket))]) rmSync(socket, { force: true })
  process.exit(0)
}

/** Each second: says that we live, and keeps the database read-only while the disk has less room than the floor. */
function beat({ database, socket, lastAnswerAt }: Opened): void {
  let isReadOnly = false
  const timer = setInterval(async () => {
    if (isLeaving) return clearInterval(timer)
    const free = freeBytes(settings.directory)
    const isDiskLow = free < settings.floorBytes
    tell({ kind: 'beat', freeBytes: free, isDiskLow })
    // One transaction that waits for ever (its client died at a bad moment) shuts out everybody: start anew.
    if (socket.waiting() > 0 && performance.now() - lastAnswerAt() > stuckMillis) process.exit(1)
    if (isDiskLow || isReadOnly) isReadOnly = await keepReadOnly(database, isDiskLow)
  }, 1000)
}

/** Sets the one session read-only or not, between transactions; tells what is now so. */
async function keepReadOnly(database: PGlite, wanted: boolean): Promise<boolean> {
  // Inside a client's transaction the setting would be rolled back with it, so what was set is read again each beat.
  for (let attempt = 0; attempt < 100 && database.isInTransaction(); attempt++) await new Promise(resolve => setTimeout(resolve, 5))
  if (database.isInTransaction()) return true
  await database.exec(`SET default_transaction_read_only = ${wanted ? 'on' : 'off'}`)
  const { rows } = await database.query<{ setting: string }>("SELECT current_setting('default_transaction_read_only') AS setting")
  return rows[0]?.setting === 'on'
}

function tell(report: Report): void {
  // The server may leave between the question and the sending; its leaving is answered by 'disconnect'.
  if (process.connected) process.send?.(report, undefined, undefined, () => {})
}
