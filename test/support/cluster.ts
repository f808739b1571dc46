// Server processes over one PostgreSQL and, where wanted, one Redis, all of the test's own.
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'
import { createMailbox, type KeptMail } from '../../src/platform/mailbox.ts'
import { openResources } from '../../src/resources.ts'
import { createServices, type Services } from '../../src/services.ts'
import { type Calls, createCalls } from './calls.ts'
import { makeDataDir } from './database.ts'
import { testSecretKey } from './demo-filling.ts'
import { findPostgres, type PostgresServer, startPostgres } from './postgres-server.ts'
import { type ServerProcess, startProcess } from './process.ts'
import { hasRedis, type RedisServer, startRedis } from './redis-server.ts'

/** What runs. */
export interface Cluster {
  readonly issuer: string
  readonly processes: readonly ServerProcess[]
  /** What they were told. */
  readonly environment: Readonly<Record<string, string>>
  readonly postgres: PostgresServer
  readonly redis?: RedisServer
  /** Asks the processes by turns. */
  readonly calls: Calls
  /** What the processes mailed to an address, the newest first. */
  mailsTo(address: string): Promise<readonly KeptMail[]>
  /** Works with services over the same database, in the test's own process and by its clock; they are closed afterwards. */
  withServices<Result>(work: (services: Services) => Promise<Result>, clock?: { readonly now: () => Date }): Promise<Result>
  /** Ends all and removes what they left; answers the exit codes of the processes. */
  close(): Promise<(number | null)[]>
}

/** Why there can be no cluster on this machine; `undefined` when there can. */
export async function whyNoCluster(): Promise<string | undefined> {
  if ((await findPostgres()) === undefined) return 'there are no PostgreSQL programs (pg_config, initdb, pg_ctl)'
  return (await hasRedis()) ? undefined : 'there is no redis-server'
}

interface Given {
  readonly size: number
  readonly isRedisUsed: boolean
  readonly settings?: Readonly<Record<string, string>>
  /** Starts the PostgreSQL server, where it is another than usual. */
  readonly startDatabase?: (folder: string) => Promise<PostgresServer>
}

/** Starts it. The first process listens on the issuer's own port, unless the settings name another issuer. */
export async function startCluster({ size, isRedisUsed, settings = {}, startDatabase = startPostgres }: Given): Promise<Cluster> {
  const folder = await findPostgres()
  if (folder === undefined) throw new Error(await whyNoCluster())
  const ends: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of ends.reverse()) await end()
  }
  try {
    const postgres = await startDatabase(folder)
    ends.push(postgres.remove)
    const redis = isRedisUsed ? await startRedis() : undefined
    if (redis) ends.push(redis.remove)
    const { dataDir, remove } = makeDataDir()
    ends.push(async () => remove())
    const mailbox = createMailbox({ directory: join(dataDir, 'mail'), now: () => new Date() })
    const environment = { ...settings, DATA_DIR: dataDir, DATABASE_URL: postgres.url, ...(redis ? { REDIS_URL: redis.url } : {}) }
    const first = await startProcess(environment)
    const processes = [first]
    ends.push(() => Promise.all(processes.map(one => one.stop())))
    while (processes.length < size) processes.push(await startProcess({ ...environment, ISSUER: first.issuer }))
    const calls = createCalls(
      first.issuer,
      processes.map(({ origin }) => origin),
    )
    ends.push(calls.close)
    return {
      issuer: first.issuer,
      processes,
      environment: { ...environment, ISSUER: first.issuer },
      postgres,
      redis,
      calls,
      mailsTo: async address => (await mailbox.list()).filter(({ to }) => to === address),
      withServices: async (work, clock) => {
        const config = readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', SECRET_KEY: testSecretKey, ISSUER: first.issuer, ...environment })
        const resources = await openResources(config)
        try {
          return await work(createServices({ ...resources, ...clock }, config))
        } finally {
          await resources.close()
        }
      },
      close: async () => {
        await close()
        return processes.map(one => one.process.exitCode)
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
