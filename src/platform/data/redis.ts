// Redis, for what may be lost: one connection that answers within a quarter of a second or fails, and comes back by itself.

import { Redis as Client, Cluster, type CommonRedisOptions } from 'ioredis'
import { type DataLog, silent } from './data-log.ts'
import { messageOf } from './failures.ts'
import { hearBeforeGivingUp } from './redis-patience.ts'
import { tellCommands } from './redis-spans.ts'
import { describeRedis, parseRedisUrl, type RedisPlace } from './redis-url.ts'
import { StartError } from './start-error.ts'

/** The open connection. Its errors are recognised by `isUnavailable` of database.ts. */
export interface Redis {
  readonly client: Client | Cluster
  /** Throws when Redis does not answer. */
  ping(): Promise<void>
  /** How many writes went to the sockets: commands of one turn of the event loop share one. */
  roundTrips(): number
  close(): Promise<void>
}

const retryStrategy = (attempt: number) => Math.min(attempt * 50, 1000)

const common = {
  connectTimeout: 1000,
  maxRetriesPerRequest: 1,
  connectionName: 'authy2',
  disableClientInfo: true,
  // After a failover the old primary refuses writes: find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies CommonRedisOptions

const commandMilliseconds = 250
// While a process starts it is busy itself: a slow answer then is no outage.
const startMilliseconds = 5000

/**
 * Connects. Throws a StartError `redis_unreachable` or `redis_url_invalid` whose message holds no password. A command fails
 * after `commandTimeout` milliseconds. `isTraced`: commands tell of themselves in the traces they belong to.
 */
export async function openRedis(url: string, log: DataLog = silent, { commandTimeout = commandMilliseconds, isTraced = false } = {}): Promise<Redis> {
  const place = parseRedisUrl(url)
  const client = place.isCluster ? clusterClient(place, startMilliseconds) : singleClient(place, startMilliseconds)
  let trips = 0
  const onTrip = () => {
    trips++
  }
  const watch = (node: Client) => {
    countWrites(node, onTrip)
    hearBeforeGivingUp(node)
  }
  if (client instanceof Cluster) client.on('+node', watch)
  else watch(client)
  if (isTraced) tellCommands(client)
  const lastError = logOutages(client, log)
  try {
    await client.connect()
    await client.ping()
    // The client selects it too, and goes on in another where Redis does not have it.
    if (place.database !== 0) await client.select(place.database)
  } catch (error) {
    client.disconnect()
    throw new StartError(
      'redis_unreachable',
      `Redis at ${describeRedis(place)} cannot be used: ${lastError() ?? messageOf(error)}. Check REDIS_URL and that Redis is running.`,
    )
  }
  await warnOfEviction(client, log)
  // Nodes that a cluster gets later read the options too.
  if (client instanceof Cluster) Object.assign(client.options.redisOptions ?? {}, { commandTimeout })
  for (const node of client instanceof Cluster ? client.nodes() : [client]) node.options.commandTimeout = commandTimeout
  return {
    client,
    ping: async () => {
      await client.ping()
    },
    roundTrips: () => trips,
    close: async () => {
      try {
        await client.quit()
      } catch (error) {
        log.info({ err: error }, 'Redis was not there to be left politely.')
      }
      client.disconnect()
    },
  }
}

function singleClient({ nodes, username, password, database, isTls }: RedisPlace, commandTimeout: number): Client {
  return new Client({
    ...common,
    commandTimeout,
    ...nodes[0],
    username,
    password,
    db: database,
    ...(isTls && { tls: {} }),
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy,
  })
}

function clusterClient({ nodes, username, password, isTls }: RedisPlace, commandTimeout: number): Cluster {
  return new Cluster([...nodes], {
    redisOptions: { ...common, commandTimeout, username, password, ...(isTls && { tls: {} }) },
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: retryStrategy,
    clusterNodeRetryStrategy: retryStrategy,
    maxRedirections: 4,
    // The certificates of TLS clusters name hosts; looking names up would ask for them by address.
    ...(isTls && { dnsLookup: (address, callback) => callback(null, address) }),
  })
}

/** One line when Redis goes, one when it is back, however often the connection is tried between. Gives the last error's message. */
function logOutages(client: Client | Cluster, log: DataLog): () => string | undefined {
  let isOut = false
  let wasReady = false
  let last: string | undefined
  const out = (error?: Error) => {
    if (error) last = messageOf(error)
    if (isOut || !wasReady) return
    isOut = true
    log.error({ err: error }, 'Redis is out of reach; what needs it fails until it is back.')
  }
  client.on('error', out)
  client.on('reconnecting', () => out())
  client.on('ready', () => {
    if (isOut) log.info({}, 'Redis is back.')
    isOut = false
    wasReady = true
  })
  return () => last
}

/** Codes and limits must not vanish before their time: Redis has to refuse writes when it is full, not forget. */
async function warnOfEviction(client: Client | Cluster, log: DataLog): Promise<void> {
  try {
    const policy = await policyOf(client instanceof Cluster ? client.nodes('master')[0] : client)
    if (policy === undefined || policy === 'noeviction') return
    log.warn({ policy }, 'Redis may evict what is still needed: set maxmemory-policy to noeviction.')
  } catch (error) {
    log.info({ err: error }, "Redis does not tell its maxmemory-policy; it should be 'noeviction'.") // managed services forbid CONFIG
  }
}

async function policyOf(node: Client | undefined): Promise<string | undefined> {
  const reply: unknown = await node?.config('GET', 'maxmemory-policy')
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined
}

function countWrites(node: Client, onTrip: () => void): void {
  const count = () => {
    const { stream } = node
    const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean
    Object.assign(stream, {
      write: (...chunk: unknown[]) => {
        onTrip()
        return write(...chunk)
      },
    })
  }
  node.on('connect', count)
}
