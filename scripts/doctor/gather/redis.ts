// Finds out about Redis: by one connection that only reads.
import { Redis } from 'ioredis'
import { parseRedisUrl } from '../../../src/platform/data/redis-url.ts'
import type { Environment, RedisFacts } from '../facts.ts'
import { failureOf, patienceMilliseconds } from './failure.ts'

/** Asks it; of a cluster its first node. */
export const gatherRedis = async ({ REDIS_URL: url }: Environment): Promise<RedisFacts> => {
  if (!url) return {}
  let lastError: Error | undefined
  let client: Redis | undefined
  try {
    client = clientOf(url)
    client.on('error', error => {
      lastError = error
    })
    await client.connect()
    // The client goes on in another where Redis does not have it.
    if (client.options.db) await client.select(client.options.db)
    const told = new Map((await client.info()).split(/\r?\n/).map(line => [line.split(':', 1)[0], line.slice(line.indexOf(':') + 1)]))
    const save = await saveOf(client)
    return {
      version: told.get('redis_version'),
      evictionPolicy: told.get('maxmemory_policy'),
      isPersistent: told.get('aof_enabled') === '1' || (save === undefined ? undefined : save !== ''),
    }
  } catch (error) {
    return { failure: failureOf(lastError ?? error) }
  } finally {
    client?.disconnect()
  }
}

const clientOf = (url: string): Redis => {
  const { nodes, username, password, database, isTls, isCluster } = parseRedisUrl(url)
  return new Redis({
    ...nodes[0],
    username,
    password,
    ...(isCluster ? {} : { db: database }),
    ...(isTls && { tls: {} }),
    connectTimeout: patienceMilliseconds,
    // Its client waits for a silent server longer than for one command.
    commandTimeout: patienceMilliseconds / 2,
    connectionName: 'authy2-doctor',
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: () => null,
  })
}

// Managed services forbid CONFIG: then nobody can say.
const saveOf = async (client: Redis): Promise<string | undefined> => {
  try {
    const reply: unknown = await client.config('GET', 'save')
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined
  } catch (error) {
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return undefined
    throw error
  }
}
