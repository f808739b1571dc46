// A disk that fills up: under a PostgreSQL server, and under the embedded database.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, createCalls, service } from '../../support/calls.ts'
import { startPostgres } from '../../support/postgres-server.ts'
import { startProcess } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { underTraffic } from './ground.ts'
import { createClaims, type Row, type RowResult } from './row.ts'

const mebibyte = 1_048_576

/** A small disk in memory. Needs root. */
interface Disk {
  readonly path: string
  /** Leaves so many bytes. */
  fill(leave: number): void
  empty(): void
  remove(): void
}

export const fullPostgresDisk: Row = {
  name: 'disk-postgres',
  fault: 'The disk of PostgreSQL is full',
  done: 'its data on 200 MiB, filled to the last byte for 10 s, then emptied; started again where it left',
  run: async () => {
    const disk = makeDisk(200)
    try {
      const settings = ['min_wal_size=32MB', 'max_wal_size=64MB']
      const startDatabase = (folder: string) => startPostgres(folder, { parent: disk.path, settings })
      return await underTraffic({ size: 2, startDatabase }, async ({ cluster, fault, passed, processes, holds, see }) => {
        let isStarted = false
        await fault(async () => {
          disk.fill(0)
          await sleep(10_000)
          disk.empty()
          await sleep(1000)
          isStarted = await cluster.postgres.start().then(
            () => true,
            () => false, // it runs still
          )
        })
        await sleep(8000)
        const memory = passed.filter(({ kind, failure }) => (kind === 'jwks' || kind === 'discovery') && failure !== undefined)
        holds(memory.length === 0, 'key sets and discovery go on')
        holds(
          processes.every(one => one.isRunning()),
          'a process left',
        )
        see(isStarted ? 'PostgreSQL itself left and was started again' : 'PostgreSQL stayed')
      })
    } finally {
      disk.remove()
    }
  },
}

export const fullEmbeddedDisk: Row = {
  name: 'disk-embedded',
  fault: 'The disk of the embedded database is full',
  done: 'its data on 600 MiB, filled to 100 MiB for 10 s, then emptied; users created and read over the API and a token introspected all the while',
  run: async () => {
    const disk = makeDisk(600)
    const claims = createClaims()
    try {
      return await fillUnder(disk, claims)
    } finally {
      disk.remove()
    }
  },
}

interface Try {
  readonly at: number
  readonly isWrite: boolean
  readonly status: number
  readonly isTold: boolean
  readonly milliseconds: number
}

async function fillUnder(disk: Disk, claims: ReturnType<typeof createClaims>): Promise<RowResult> {
  const server = await startProcess({ DATA_DIR: disk.path, API_REQUESTS_PER_MINUTE: '100000' })
  const calls = createCalls(server.origin)
  try {
    const login = JSON.stringify({ email: 'admin@authy2.local', password: 'AdminPass123!' })
    const { json } = await calls.call('/api/v1/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: login })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${(json.data as { token: string }).token}` }
    const authorization = basic(service)
    const token = String((await calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization })).json.access_token)
    const tries: Try[] = []
    const emails: string[] = []
    let reads = 0
    const read = () => (++reads % 2 === 0 ? calls.call('/api/v1/users?limit=1', { headers }) : calls.post('/oauth2/introspect', { token }, { authorization }))
    const attempt = async (isWrite: boolean) => {
      const at = performance.now()
      const email = `${randomUUID()}@people.example`
      const reply = isWrite ? await calls.call('/api/v1/users', { method: 'POST', headers, body: JSON.stringify({ email }) }) : await read()
      if (reply.status === 201) emails.push(email)
      tries.push({ at, isWrite, status: reply.status, isTold: reply.headers['retry-after'] !== undefined, milliseconds: performance.now() - at })
    }
    let isOver = false
    const loops = [true, false].map(async isWrite => {
      for (; !isOver; await sleep(80)) await attempt(isWrite)
    })
    await sleep(5000)
    const from = performance.now()
    disk.fill(100 * mebibyte)
    await sleep(10_000)
    const isHealthTold = (await calls.call('/api/health')).body.includes('disk_low')
    disk.empty()
    const to = performance.now()
    await until(() => tries.some(one => one.isWrite && one.at > to && one.status === 201))
    await sleep(4000)
    isOver = true
    await Promise.all(loops)
    let lost = 0
    for (const email of emails) if (!(await calls.call(`/api/v1/users?email=${encodeURIComponent(email)}`, { headers })).body.includes(email)) lost += 1
    const failed = tries.filter(({ status }) => status >= 300)
    const refused = failed.filter(({ isWrite, at }) => isWrite && at > from)
    claims.holds(isHealthTold, 'health tells disk_low')
    claims.holds(refused.length > 0, 'writes were refused')
    claims.holds(
      failed.every(({ isWrite }) => isWrite),
      'reads go on',
    )
    claims.holds(
      failed.every(({ status, isTold }) => status === 503 && isTold),
      'every refusal is 503 with Retry-After',
    )
    claims.holds(lost === 0, 'nothing acknowledged is lost')
    return {
      requests: tries.length,
      failures: failed.length,
      failuresAgain: failed.length,
      looked: emails.length,
      lost,
      recoverySeconds: Math.max(0, ...failed.map(({ at }) => at - to)) / 1000,
      slowestSeconds: Math.max(...tries.map(({ milliseconds }) => milliseconds)) / 1000,
      answers: { 'create: 503': refused.length },
      seen: `${refused.length} writes refused with 503, no read; no second tries in this row`,
      broken: claims.broken,
    }
  } finally {
    await calls.close()
    await server.stop()
  }
}

function makeDisk(mebibytes: number): Disk {
  const path = mkdtempSync(join(tmpdir(), 'authy2-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0755`, 'tmpfs', path])
  chmodSync(path, 0o755)
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: leave => {
      const file = openSync(ballast, 'w')
      try {
        fillUp(file, path, leave)
      } finally {
        closeSync(file)
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync('umount', ['--lazy', path])
      rmdirSync(path)
    },
  }
}

function fillUp(file: number, path: string, leave: number): void {
  const free = () => {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  }
  for (let room = free() - leave; room > 0; room = free() - leave) {
    try {
      writeSync(file, Buffer.alloc(Math.min(mebibyte, room)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
      throw error
    }
  }
}
