// A PostgreSQL server of the test's own, on the loopback, that can be stopped and started under those who use it.
import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './server.ts'

const run = promisify(execFile)

/** A running server. */
export interface PostgresServer {
  readonly url: string
  /** `immediate` is what a crash looks like: nobody is told, recovery at the next start. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  start(): Promise<void>
  /** Freezes or thaws all its processes: connections stay, answers do not come. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  /** Makes a standby the primary. */
  promote(): Promise<void>
  /** Stops it and removes its files. */
  remove(): Promise<void>
}

/** Where the server's programs are; `undefined` on a machine without them. */
export async function findPostgres(): Promise<string | undefined> {
  try {
    const { stdout } = await run('pg_config', ['--bindir'])
    const folder = stdout.trim()
    return existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')) ? folder : undefined
  } catch (error) {
    if (error instanceof Error) return undefined // no pg_config: no PostgreSQL
    throw error
  }
}

/** What is not as usual. */
export interface PostgresOptions {
  /** Where its folder is made. */
  readonly parent?: string
  /** More of its settings, such as `min_wal_size=32MB`. */
  readonly settings?: readonly string[]
  /** Copies a running server as its standby instead of making a cluster of its own. */
  readonly standbyOf?: PostgresServer
}

/** Makes a cluster and starts it. Root hands it to the user postgres, because PostgreSQL refuses to run as root. */
export async function startPostgres(folder: string, { parent = tmpdir(), settings = [], standbyOf }: PostgresOptions = {}): Promise<PostgresServer> {
  const home = mkdtempSync(join(parent, 'authy2-postgres-'))
  const data = join(home, 'data')
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(home, ...(await idsOf('postgres')))
  const program = (name: string, ...given: string[]) =>
    isRoot ? run('runuser', ['-u', 'postgres', '--', join(folder, name), ...given], { cwd: '/' }) : run(join(folder, name), given, { cwd: '/' })
  const port = await freePort()
  if (standbyOf) await program('pg_basebackup', '-D', data, '-d', standbyOf.url, '-R', '-X', 'stream', '-c', 'fast', '--no-sync')
  else await program('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
  const own = ['listen_addresses=127.0.0.1', 'max_connections=60', 'fsync=off', ...settings].map(one => `-c ${one}`)
  const options = `-p ${port} -k ${home} ${own.join(' ')}`
  const start = async () => {
    await program('pg_ctl', '-D', data, '-w', '-o', options, '-l', join(home, 'log'), 'start')
  }
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    await program('pg_ctl', '-D', data, '-w', '-m', mode, 'stop')
  }
  const signal = (name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => {
    for (const pid of processesOf(data)) process.kill(pid, name)
  }
  try {
    await start()
  } catch (error) {
    rmSync(home, { recursive: true, force: true })
    throw error
  }
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    start,
    stop,
    signal,
    promote: async () => {
      await program('pg_ctl', '-D', data, '-w', 'promote')
    },
    remove: async () => {
      if (isServed(data)) {
        signal('SIGCONT')
        await stop('immediate')
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Whether its postmaster lives: a killed one leaves its file behind. */
function isServed(data: string): boolean {
  const file = join(data, 'postmaster.pid')
  return existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').split('\n')[0]}`)
}

/** The postmaster first, then its children: none is born while the others are signalled. */
function processesOf(data: string): number[] {
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')
  return [postmaster, ...children.trim().split(' ').filter(Boolean).map(Number)]
}

async function idsOf(user: string): Promise<[number, number]> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, user])).stdout)))
  return [uid ?? 0, gid ?? 0]
}
