// A Redis server of the test's own, on the loopback, that can be stopped and started under those who use it.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './server.ts'
import { until } from './until.ts'

/** A running server. */
export interface RedisServer {
  readonly url: string
  /** Stops it, keeping what it holds; with `SIGKILL` it is lost. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  start(): Promise<void>
  /** Freezes or thaws it: connections stay, answers do not come. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  remove(): Promise<void>
}

/** Whether there is a redis-server to start. */
export async function hasRedis(): Promise<boolean> {
  try {
    await promisify(execFile)('redis-server', ['--version'])
    return true
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

/** Starts it on a free port. */
export async function startRedis(): Promise<RedisServer> {
  const home = mkdtempSync(join(tmpdir(), 'authy2-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', '3600 1', '--maxmemory-policy', 'noeviction'], {
      stdio: 'ignore',
    })
    await until(() => answers(port))
  }
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}/0`,
    start,
    stop,
    signal: signal => {
      child?.kill(signal)
    },
    remove: async () => {
      await stop('SIGKILL')
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Whether a Redis that has finished loading is there. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString().startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
}
