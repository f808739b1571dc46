// A primary that dies, and a standby that takes its place at the same address.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import { type Relay, startRelay, type Target } from '../../support/relay.ts'
import { until } from '../../support/until.ts'
import { underTraffic } from './ground.ts'
import { verifyServedFromMemory } from './postgres.ts'
import type { Row } from './row.ts'

interface Pair {
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  readonly relay: Relay
}

export const movedPostgres: Row = {
  name: 'postgres-failover',
  fault: 'The primary dies and its standby takes over',
  done: 'synchronous streaming replication; `kill -9` of the primary, 2 s later `pg_promote` and the address moves',
  run: async () => {
    let pair: Pair | undefined
    const startDatabase = async (folder: string) => {
      const made = await startPair(folder)
      pair = made.pair
      return made.server
    }
    return underTraffic({ size: 2, startDatabase }, async ground => {
      const { primary, standby, relay } = pair ?? missing()
      await sleep(6000)
      let promotedAt = 0
      await ground.fault(async () => {
        primary.signal('SIGKILL')
        await sleep(2000)
        await standby.promote()
        relay.lead(targetOf(standby))
        promotedAt = performance.now()
      })
      await until(() => ground.passed.some(({ kind, at, failure }) => kind === 'create' && at > promotedAt && failure === undefined))
      const back = (performance.now() - promotedAt) / 1000
      ground.holds(back <= 10, `writes were back after ${back} s`)
      ground.see(`a user was created ${back.toFixed(1)} s after the promotion; no process was restarted`)
      await sleep(10_000)
      verifyServedFromMemory(ground)
    })
  },
}

async function startPair(folder: string): Promise<{ pair: Pair; server: PostgresServer }> {
  const ends: (() => Promise<void> | void)[] = []
  const remove = async () => {
    for (const end of ends.reverse()) await end()
  }
  try {
    const primary = await startPostgres(folder)
    ends.push(primary.remove)
    const standby = await startPostgres(folder, { standbyOf: primary })
    ends.push(standby.remove)
    await makeSynchronous(primary.url)
    const relay = await startRelay(targetOf(primary))
    ends.push(relay.close)
    const url = new URL(primary.url)
    url.port = String(relay.port)
    return { pair: { primary, standby, relay }, server: { ...primary, url: url.href, remove } }
  } catch (error) {
    await remove()
    throw error
  }
}

/** From now on nothing is acknowledged that the standby has not written. */
async function makeSynchronous(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await client.query('SELECT pg_reload_conf()')
    await until(async () => (await client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")).rowCount === 1)
  } finally {
    await client.end()
  }
}

function targetOf({ url }: PostgresServer): Target {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

function missing(): never {
  throw new Error('there is no pair of servers')
}
