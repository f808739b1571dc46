// Starts, samples and stops one server under measurement, as a child process on a free port.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { readUsage, type Usage } from './process-tree.ts'

export interface SubjectDefinition {
  readonly name: string
  /** The file to run, relative to the working directory. */
  readonly entry: string
  /** The settings besides PORT, HOST and ISSUER; nothing else of the environment is handed on. */
  readonly environment: Readonly<Record<string, string>>
  /** Fills its migrated database before anything is measured. */
  readonly fill?: () => Promise<void>
}

export interface RoundTrips {
  readonly database: number
  readonly redis: number
}

export interface Sample extends Usage {
  /** Told by the server itself over IPC; absent when it does not. */
  readonly roundTrips: RoundTrips | undefined
}

export interface Subject {
  readonly name: string
  readonly url: URL
  /** From fork to the first 200 of /readyz. */
  readonly startSeconds: number
  sample(): Promise<Sample>
  stop(): Promise<void>
}

const roundTripsMessage = z.object({ roundTrips: z.object({ database: z.number(), redis: z.number() }) })
const startLimitSeconds = 60
const stopLimitMilliseconds = 12_000

/**
 * Starts the server and waits until it is ready. Throws, with its last words, when it ends or takes too long.
 * `atEnd` is given the way to stop it as soon as there is something to stop.
 */
export async function startSubject({ name, entry, environment }: SubjectDefinition, atEnd: (stop: () => Promise<void>) => void): Promise<Subject> {
  const port = await freePort()
  const url = new URL(`http://127.0.0.1:${port}`)
  const startedAt = performance.now()
  const child = fork(entry, [], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...inherited(), PORT: String(port), HOST: '127.0.0.1', ISSUER: url.origin, ...environment },
  })
  const lastWords = listen(child)
  const stop = () => stopTree(child)
  atEnd(stop)
  try {
    await untilReady(url, child)
  } catch (cause) {
    await stop()
    throw new Error(`${name} did not start: ${lastWords()}`, { cause })
  }
  const startSeconds = (performance.now() - startedAt) / 1000
  const sample = async () => ({ ...(await readUsage(pidOf(child))), roundTrips: await askRoundTrips(child) })
  return { name, url, startSeconds, sample, stop }
}

function inherited(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'UV_THREADPOOL_SIZE']
  return Object.fromEntries(kept.flatMap(key => (process.env[key] === undefined ? [] : [[key, process.env[key]]])))
}

function listen(child: ChildProcess): () => string {
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2000)
    })
  }
  return () => words.trim() || 'it said nothing'
}

async function untilReady(url: URL, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + startLimitSeconds * 1000
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    const isReady = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(2000) }).then(
      answer => answer.ok,
      () => false,
    )
    if (isReady) return
    await sleep(10)
  }
  throw new Error(`it was not ready within ${startLimitSeconds} s`)
}

async function askRoundTrips(child: ChildProcess): Promise<RoundTrips | undefined> {
  if (!child.connected) return undefined
  const answer = once(child, 'message', { signal: AbortSignal.timeout(250) })
  child.send('round-trips')
  return answer.then(
    ([message]) => roundTripsMessage.safeParse(message).data?.roundTrips,
    () => undefined, // it does not count them
  )
}

async function stopTree(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  const { pids } = await readUsage(pidOf(child))
  child.kill('SIGTERM')
  await Promise.race([ended, sleep(stopLimitMilliseconds, undefined, { ref: false })])
  if (!hasEnded(child)) console.error(`It did not end within ${stopLimitMilliseconds / 1000} s of SIGTERM; it is killed.`)
  child.kill('SIGKILL')
  await ended
  for (const pid of pids.slice(1)) killOrphan(pid)
}

function killOrphan(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process could not be started')
  return child.pid
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
