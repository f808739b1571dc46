// The embedded database as its server sees it: a child process that is started, watched, started again and stopped.
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { longestSocketPath } from './beacon.ts'
import { makeDataDir } from './data-dir.ts'
import type { DataLog } from './data-log.ts'
import { freeBytes, inMebibytes } from './disk.ts'
import { endChild, spawnChild, untilReady } from './embedded-child.ts'
import type { EmbeddedSettings, Report } from './embedded-messages.ts'
import { type Lock, takeLock } from './lock.ts'
import { StartError } from './start-error.ts'

/** How the embedded database fares. */
export interface EmbeddedState {
  readonly isRunning: boolean
  /** The disk has less room than the floor: the database answers, and refuses writes. */
  readonly isDiskLow: boolean
  readonly freeBytes: number
  /** How often the process had to be started again. */
  readonly restarts: number
}

/** A running embedded database. */
export interface Embedded {
  /** The folder of its socket, for `pg`'s `host`. */
  readonly host: string
  readonly pid: () => number | undefined
  state(): EmbeddedState
  /** Runs work whose statements may take longer than the watchdog allows. */
  unwatched<Result>(work: () => Promise<Result>): Promise<Result>
  stop(): Promise<void>
}

/** What {@link startEmbedded} is told. */
export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: DataLog
  /** Room on the disk below which nothing is written. */
  readonly floorBytes?: number
  /** How long the process may be silent before it is ended and started again. */
  readonly silenceSeconds?: number
  /** Whether it lives for seconds, as in tests: then nothing is spent on making its code faster. */
  readonly isBrief?: boolean
}

/** Takes the data directory and starts the database in it. Throws a StartError `data_dir_unusable`, `data_dir_in_use`, `disk_low` or `embedded_failed`. */
export async function startEmbedded({ dataDir, log, floorBytes = 256 * 1_048_576, silenceSeconds = 10, isBrief = false }: EmbeddedOptions): Promise<Embedded> {
  makeDataDir(dataDir)
  refuseFullDisk(dataDir, floorBytes)
  const lock = await takeLock(dataDir)
  const host = socketFolder(dataDir)
  const settings = { directory: resolve(dataDir, 'postgres'), socket: join(host, '.s.PGSQL.5432'), floorBytes, isBrief }
  const keeper = keep({ settings, lock, log, silenceSeconds, freeBytes: freeBytes(dataDir) })
  const letGo = () => {
    lock.release()
    if (host !== resolve(dataDir, 'run')) rmSync(host, { recursive: true, force: true })
  }
  try {
    await keeper.start()
  } catch (error) {
    letGo()
    throw error
  }
  return {
    host,
    pid: keeper.pid,
    state: keeper.state,
    unwatched: keeper.unwatched,
    stop: async () => {
      await keeper.stop()
      letGo()
    },
  }
}

function keep({
  settings,
  lock,
  log,
  silenceSeconds,
  freeBytes,
}: {
  settings: EmbeddedSettings
  lock: Lock
  log: DataLog
  silenceSeconds: number
  freeBytes: number
}) {
  let child: ChildProcess | undefined
  let state: EmbeddedState = { isRunning: false, isDiskLow: false, freeBytes, restarts: 0 }
  let isStopping = false
  let watchers = 0
  let silence = 0

  const start = async () => {
    child = spawnChild(settings)
    lock.setChild(child.pid)
    child.on('message', (report: Report) => {
      silence = 0
      if (report.kind !== 'beat') return
      if (report.isDiskLow !== state.isDiskLow) tellDisk(log, report)
      state = { ...state, isDiskLow: report.isDiskLow, freeBytes: report.freeBytes }
    })
    await untilReady(child)
    silence = 0
    state = { ...state, isRunning: true }
    child.once('exit', (code, signal) => {
      state = { ...state, isRunning: false }
      if (isStopping) return
      log.error({ code, signal }, 'The embedded database left unexpectedly and is started again.')
      void startAgain()
    })
  }
  const startAgain = async () => {
    for (let delay = 0; !isStopping; delay = Math.min(5000, delay * 2 + 100)) {
      await sleep(delay)
      if (isStopping) return
      state = { ...state, restarts: state.restarts + 1 }
      try {
        return await start()
      } catch (error) {
        log.error({ err: error }, 'The embedded database could not be started again; trying on.')
      }
    }
  }
  // Counts turns of our own loop, not time: a server that was itself suspended must not take the silence for its child's.
  const watchdog = setInterval(() => {
    if (!state.isRunning || watchers > 0 || ++silence <= silenceSeconds) return
    silence = 0
    log.error({ seconds: silenceSeconds }, 'The embedded database hangs and is ended.')
    child?.kill('SIGKILL')
  }, 1000)
  watchdog.unref()

  return {
    start,
    pid: () => child?.pid,
    state: () => state,
    unwatched: async <Result>(work: () => Promise<Result>): Promise<Result> => {
      watchers++
      try {
        return await work()
      } finally {
        watchers--
        silence = 0
      }
    },
    stop: async () => {
      if (isStopping) return
      isStopping = true
      clearInterval(watchdog)
      if (child) await endChild(child)
      lock.setChild(undefined)
    },
  }
}

function refuseFullDisk(dataDir: string, floorBytes: number): void {
  const free = freeBytes(dataDir)
  if (free >= floorBytes) return
  throw new StartError(
    'disk_low',
    `The disk of ${dataDir} has ${inMebibytes(free)} left and ${inMebibytes(floorBytes)} are needed. Make room, or set DATA_DIR or DATABASE_URL.`,
  )
}

function socketFolder(dataDir: string): string {
  const folder = resolve(dataDir, 'run')
  chmodSync(folder, 0o700)
  if (Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= longestSocketPath) return folder
  return mkdtempSync(join(tmpdir(), 'authy2-')) // created 0700
}

function tellDisk(log: DataLog, { isDiskLow, freeBytes }: { isDiskLow: boolean; freeBytes: number }): void {
  if (isDiskLow) log.error({ freeBytes }, 'The disk is nearly full: the database is read-only until there is room.')
  else log.info({ freeBytes }, 'The disk has room again: the database takes writes.')
}
