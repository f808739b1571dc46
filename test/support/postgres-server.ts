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
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
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

/** Makes a cluster and starts it. Root hands it to the user postgres, because PostgreSQL refuses to run as root. */
export async function startPostgres(folder: string): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'authy2-postgres-'))
  const data = join(home, 'data')
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(home, ...(await idsOf('postgres')))
  const program = (name: string, ...given: string[]) =>
    isRoot ? run('runuser', ['-u', 'postgres', '--', join(folder, name), ...given], { cwd: '/' }) : run(join(folder, name), given, { cwd: '/' })
  const port = await freePort()
  await program('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync')
  const options = `-p ${port} -k ${home} -c listen_addresses=127.0.0.1 -c max_connections=60 -c fsync=off`
  const start = async () => {
    await program('pg_ctl', '-D', data, '-w', '-o', options, '-l', join(home, 'log'), 'start')
  }
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    await program('pg_ctl', '-D', data, '-w', '-m', mode, 'stop')
  }
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of processesOf(data)) process.kill(pid, name)
  }
  await start()
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    start,
    stop,
    signal,
    remove: async () => {
      if (existsSync(join(data, 'postmaster.pid'))) {
        signal('SIGCONT')
        await stop('immediate')
      }
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
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
