// PostgreSQL that crashes, slows down, is locked, and has too few connections.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { basic, portal } from '../../support/calls.ts'
import { startPostgres } from '../../support/postgres-server.ts'
import { startRelay } from '../../support/relay.ts'
import { type Ground, underTraffic } from './ground.ts'
import type { Row } from './row.ts'

const longestMilliseconds = 6000
// An exchange is two requests, each of which has three seconds to begin its last statement.
const patience = { REQUEST_TIMEOUT_SECONDS: '3' }
const longestOfTwoMilliseconds = 10_000

export const restartedPostgres: Row = {
  name: 'postgres-restart',
  fault: 'PostgreSQL crashes',
  done: '`pg_ctl stop -m immediate`, started again after 1 s, 5 times',
  run: () =>
    underTraffic({ size: 2 }, async ground => {
      const { stop, start } = ground.cluster.postgres
      for (let time = 0; time < 5; time += 1) {
        await ground.fault(async () => {
          await stop('immediate')
          await sleep(1000)
          await start()
        })
        await sleep(4000)
      }
      verifyServedFromMemory(ground)
    }),
}

export const slowPostgres: Row = {
  name: 'postgres-slow',
  fault: 'PostgreSQL is slow, then a table is locked',
  done: '`REQUEST_TIMEOUT_SECONDS=3`; every packet 100 to 200 ms late for 12 s; `oidc_artifacts` locked for 10 s',
  run: async () => {
    const made: { slow(milliseconds: () => number): void }[] = []
    const startDatabase = async (folder: string) => {
      const server = await startPostgres(folder)
      const url = new URL(server.url)
      const relay = await startRelay({ host: url.hostname, port: Number(url.port) })
      made.push(relay)
      url.port = String(relay.port)
      const remove = async () => {
        relay.close()
        await server.remove()
      }
      return { ...server, url: url.href, remove }
    }
    return underTraffic({ size: 2, settings: patience, startDatabase }, async ground => {
      const [relay] = made
      await ground.fault(async () => {
        relay?.slow(() => 100 + Math.random() * 100)
        await sleep(12_000)
        relay?.slow(() => 0)
      })
      await sleep(5000)
      await ground.fault(() => lockTable(ground.cluster.postgres.url, 10_000))
      await sleep(4000)
      verifyServedFromMemory(ground, longestOfTwoMilliseconds)
    })
  },
}

export const exhaustedPool: Row = {
  name: 'postgres-pool',
  fault: 'All database connections are taken',
  done: '`DATABASE_POOL_SIZE=2`; the table locked for 5 s, 100 more requests at once, three times',
  run: () =>
    underTraffic({ size: 2, settings: { DATABASE_POOL_SIZE: '2' } }, async ground => {
      const counts: Record<number, number> = {}
      let slowest = 0
      for (let time = 0; time < 3; time += 1) {
        await ground.fault(async () => {
          const locked = lockTable(ground.cluster.postgres.url, 5000)
          await sleep(200)
          const replies = await Promise.all(Array.from({ length: 100 }, () => introspect(ground)))
          for (const { status, isTold } of replies) {
            counts[status] = (counts[status] ?? 0) + 1
            ground.holds(status === 200 || (status === 503 && isTold), `one of a hundred was answered ${status}`)
          }
          slowest = Math.max(slowest, ...replies.map(({ milliseconds }) => milliseconds))
          await locked
        })
        await sleep(3000)
      }
      ground.holds(slowest < longestMilliseconds, `one of a hundred took ${(slowest / 1000).toFixed(1)} s`)
      ground.see(`of the 300 more, ${counts[200] ?? 0} were answered and ${counts[503] ?? 0} told to come again, all within ${(slowest / 1000).toFixed(1)} s`)
      verifyServedFromMemory(ground)
    }),
}

async function lockTable(url: string, milliseconds: number): Promise<void> {
  const locker = new pg.Client(url)
  await locker.connect()
  try {
    await locker.query('BEGIN; LOCK TABLE oidc_artifacts IN ACCESS EXCLUSIVE MODE')
    await sleep(milliseconds)
    await locker.query('COMMIT')
  } finally {
    await locker.end()
  }
}

async function introspect({ calls }: Ground) {
  const begun = performance.now()
  const { status, headers } = await calls.post('/oauth2/introspect', { token: 'x'.repeat(43) }, { authorization: basic(portal) })
  return { status, isTold: headers['retry-after'] !== undefined, milliseconds: performance.now() - begun }
}

/** Key sets and discovery never fail; nothing hangs; whatever fails is told to come again; no process leaves. */
export function verifyServedFromMemory({ passed, processes, holds }: Ground, longest = longestMilliseconds): void {
  const failed = passed.filter(({ failure }) => failure !== undefined)
  const still = failed.filter(({ kind }) => kind === 'jwks' || kind === 'discovery')
  holds(still.length === 0, `${still.length} requests for key sets or discovery failed: ${still[0]?.failure}`)
  const otherwise = failed.filter(({ failure, kind }) => !/^503|temporarily_unavailable/.test(failure ?? '') && kind !== 'sign_in')
  holds(otherwise.length === 0, `${otherwise.length} were not told to come again: ${otherwise[0]?.kind} ${otherwise[0]?.failure}`)
  const slowest = passed.filter(({ kind }) => kind !== 'sign_in').toSorted((a, b) => b.milliseconds - a.milliseconds)[0]
  holds((slowest?.milliseconds ?? 0) < longest, `${slowest?.kind} took ${((slowest?.milliseconds ?? 0) / 1000).toFixed(1)} s`)
  holds(
    processes.every(one => one.isRunning()),
    'a process left',
  )
}
