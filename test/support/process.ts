// Starts src/server.ts as a process of its own on a free port, as an operator would, and follows it until it is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifySilence } from './canaries.ts'
import { testSecretKey } from './demo-filling.ts'
import { freePort } from './server.ts'
import { until } from './until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Which program in src, and where it runs: there it finds `.env`. */
interface Start {
  readonly program?: 'server.ts' | 'cluster.ts'
  readonly directory?: string
}

/** A running server process. */
export interface ServerProcess {
  /** Where it listens. */
  readonly origin: string
  /** Who it says it is: another process's origin where the environment says so. */
  readonly issuer: string
  readonly process: ChildProcess
  isRunning(): boolean
  /** What it wrote on standard error so far. */
  log(): string
  /** Asks it to stop, by SIGTERM unless told otherwise, and answers its exit code. Throws when a secret of the tests stands in its log. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

/** Starts it and waits until /readyz answers 200. Throws with its log when it leaves before. */
export async function startProcess(environment: Record<string, string> = {}, { program = 'server.ts', directory = root }: Start = {}): Promise<ServerProcess> {
  const port = Number(environment.PORT ?? (await freePort()))
  const origin = `http://localhost:${port}`
  const child = spawn(process.execPath, [join(root, 'src', program)], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      LOG_LEVEL: 'warn',
      SEED_DEMO: 'true',
      SECRET_KEY: testSecretKey,
      ISSUER: origin,
      ...environment,
      PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: string[] = []
  child.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  try {
    await until(async () => {
      if (!isRunning()) throw new Error(`the server left with ${child.exitCode}: ${log.join('')}`)
      return isReady(origin)
    })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    origin,
    issuer: environment.ISSUER ?? origin,
    process: child,
    isRunning,
    log: () => log.join(''),
    stop: async (signal = 'SIGTERM') => {
      if (!isRunning()) return child.exitCode
      const gone = once(child, 'exit')
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(timer)
      verifySilence(log.join(''))
      return child.exitCode
    },
    kill: signal => {
      child.kill(signal)
    },
  }
}

/** Whether the process says that it can serve. */
export async function isReady(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/readyz`)).status === 200
  } catch (error) {
    if (error instanceof TypeError) return false // nobody listens yet
    throw error
  }
}
