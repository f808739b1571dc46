// Makes what the servers under measurement may fill, and takes it away again: folders, databases, an empty Redis database.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'

/** Something made for the run; `remove` leaves nothing of it. */
export interface Scratch {
  readonly value: string
  remove(): Promise<void>
}

export async function createFolder(): Promise<Scratch> {
  const value = await mkdtemp(join(tmpdir(), 'authy2-bench-'))
  return { value, remove: () => rm(value, { recursive: true, force: true }) }
}

/** A new database on the server of `databaseUrl`; the value is its URL. */
export async function createDatabase(databaseUrl: string, purpose: string): Promise<Scratch> {
  const name = `authy2_bench_${purpose}_${randomBytes(6).toString('hex')}`
  const run = async (statement: string) => {
    const database = new pg.Client({ connectionString: databaseUrl })
    await database.connect()
    await database.query(statement).finally(() => database.end())
  }
  await run(`CREATE DATABASE ${name}`)
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return { value: url.href, remove: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

/** The last empty numbered database of the Redis at `redisUrl`, marked as taken, and flushed afterwards; throws when none is empty. */
export async function claimRedisDatabase(redisUrl: string): Promise<Scratch> {
  for (let index = 15; index > 0; index -= 1) {
    const url = new URL(redisUrl)
    url.pathname = `/${index}`
    const isOurs = await withRedis(url.href, async redis => (await redis.dbsize()) === 0 && (await redis.set('authy2-bench', process.pid, 'NX')) === 'OK')
    if (isOurs) return { value: url.href, remove: () => withRedis(url.href, async redis => void (await redis.flushdb())) }
  }
  throw new Error('none of the Redis databases 1 to 15 is empty')
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 })
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}
