// One Authy2 a data directory: an exclusive lock beside the embedded database, because two of them on one directory lose data silently.
import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLit, lightBeacon, longestSocketPath } from './beacon.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { findProcess, isAlive, processWorld } from './process-identity.ts'
import { StartError } from './start-error.ts'

/** A lock that is ours until `release`. */
export interface Lock {
  /** Tells which process has the files open on our behalf; `undefined` once it has left. */
  setChild(pid: number | undefined): void
  release(): void
}

interface Holder {
  readonly server: ProcessIdentity
  readonly child?: ProcessIdentity | undefined
  readonly boot: string
  readonly namespace: string
  /** Name of a socket in `run`, absent where its path would be too long. */
  readonly beacon?: string | undefined
}

type Verdict = 'free' | 'held' | 'closing'

const patienceMillis = 10_000
const guardMaxAgeMillis = 10_000

/**
 * Takes the lock of a data directory. A living holder, stopped or not, is never robbed: throws a StartError `data_dir_in_use`.
 * A dead holder's lock is taken over; when its database process is still closing it is waited for, and ended after ten seconds.
 */
export async function takeLock(dataDir: string): Promise<Lock> {
  mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 })
  const path = join(dataDir, 'postgres.lock')
  const beacon = await beaconOf(dataDir)
  let holder: Holder = { server: self(), ...processWorld(), beacon: beacon?.name }
  const deadline = Date.now() + patienceMillis
  for (;;) {
    const found = readText(path)
    const previous = parseHolder(found)
    const verdict = previous === undefined ? 'free' : await judge(previous, dataDir)
    if (verdict === 'free' && replace(path, found, holder)) {
      if (previous?.beacon !== undefined) rmSync(join(dataDir, 'run', previous.beacon), { force: true })
      break
    }
    if (verdict === 'held') {
      beacon?.extinguish()
      throw refusal(dataDir, path, previous)
    }
    // Its server is gone, so nobody will ask it to leave again: a database process that hangs must not keep the door shut.
    if (verdict === 'closing' && Date.now() > deadline && previous?.child !== undefined) end(previous.child)
    await sleep(50)
  }
  return {
    setChild: pid => {
      holder = { ...holder, child: pid === undefined ? undefined : findProcess(pid) }
      write(path, holder)
    },
    release: () => {
      const kept = parseHolder(readText(path))?.server
      if (kept?.pid === holder.server.pid && kept.began === holder.server.began) rmSync(path, { force: true })
      beacon?.extinguish()
    },
  }
}

/** Whether somebody holds the lock of a data directory, or is just letting it go. */
export async function isLocked(dataDir: string): Promise<boolean> {
  const holder = parseHolder(readText(join(dataDir, 'postgres.lock')))
  return holder !== undefined && (await judge(holder, dataDir)) !== 'free'
}

async function judge(holder: Holder, dataDir: string): Promise<Verdict> {
  const here = processWorld()
  if (holder.boot !== here.boot) return 'free' // the machine was started again since
  if (holder.namespace !== here.namespace) {
    if (holder.beacon === undefined) return 'held' // cannot be known, so not robbed
    return (await isLit(join(dataDir, 'run', holder.beacon))) ? 'held' : 'free'
  }
  if (isAlive(holder.server)) return 'held'
  return holder.child !== undefined && isAlive(holder.child) ? 'closing' : 'free'
}

/** Writes our holder if the lock still reads `expected`. Two contenders cannot both do so: the guard admits one at a time. */
function replace(path: string, expected: string | undefined, holder: Holder): boolean {
  const guard = `${path}.guard`
  if (!enter(guard)) return false
  try {
    if (readText(path) !== expected) return false
    write(path, holder)
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}

function enter(guard: string): boolean {
  try {
    closeSync(openSync(guard, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  // What is done inside takes microseconds; an old guard is one whose process died there.
  const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
  if (age > guardMaxAgeMillis) rmSync(guard, { force: true })
  return false
}

function write(path: string, holder: Holder): void {
  const draft = `${path}.${holder.server.pid}`
  writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, path)
}

async function beaconOf(dataDir: string): Promise<{ name: string; extinguish(): void } | undefined> {
  const name = `lock-${randomUUID().slice(0, 8)}`
  const path = join(dataDir, 'run', name)
  if (Buffer.byteLength(path) > longestSocketPath) return undefined
  return { name, ...(await lightBeacon(path)) }
}

function end(child: ProcessIdentity): void {
  try {
    process.kill(child.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it left meanwhile
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Locks are written whole by a rename: what does not parse was torn by a machine that lost power, and holds nothing. */
function parseHolder(text: string | undefined): Holder | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Holder
  } catch {
    return undefined
  }
}

function self(): ProcessIdentity {
  const found = findProcess(process.pid)
  if (found === undefined) throw new Error('this process cannot see itself')
  return found
}

function refusal(dataDir: string, path: string, holder: Holder | undefined): StartError {
  const elsewhere = holder?.namespace === processWorld().namespace ? '' : ' in another container'
  const hint = holder?.beacon === undefined ? ` If it is gone for certain, delete ${path}.` : ''
  return new StartError(
    'data_dir_in_use',
    `Another Authy2 (pid ${holder?.server.pid}${elsewhere}) is using ${dataDir}. Stop it, or set DATA_DIR or DATABASE_URL.${elsewhere && hint}`,
  )
}
