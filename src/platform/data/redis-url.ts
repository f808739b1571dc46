// Where Redis is: one server, or the nodes of a cluster.
import { StartError } from './start-error.ts'

/** A parsed REDIS_URL. */
export interface RedisPlace {
  readonly isCluster: boolean
  readonly isTls: boolean
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** The number of the database; a cluster has only 0. */
  readonly database: number
}

/** Reads `redis://host:6379/0`, `rediss://…`, `redis+cluster://…` and lists such as `redis://a:6379,b:6379`. Throws a StartError `redis_url_invalid`. */
export function parseRedisUrl(url: string): RedisPlace {
  const place = read(url)
  if (typeof place === 'string') throw new StartError('redis_url_invalid', `REDIS_URL ${place}.`)
  return place
}

/** Why such an address cannot be read, as what is said of the setting; `undefined` when it can. */
export function redisUrlFault(url: string): string | undefined {
  const place = read(url)
  return typeof place === 'string' ? place : undefined
}

/** The place without its password. */
export function describeRedis({ nodes }: RedisPlace): string {
  return nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
}

const unreadable = 'must look like redis://user:password@host:6379/0, or redis://a:6379,b:6379 for a cluster, with special characters percent-encoded'

function read(url: string): RedisPlace | string {
  const [, tls, cluster, rest = ''] = /^redis(s?)(\+cluster)?:\/\/(.+)$/.exec(url) ?? []
  const at = rest.lastIndexOf('@')
  const [, list = '', path = '', query = ''] = /^([^/?]*)\/?([^?]*)(.*)$/.exec(rest.slice(at + 1)) ?? []
  const urls = list.split(',').map(node => `redis://${node}`)
  const who = URL.parse(`redis://${rest.slice(0, at + 1)}host`)
  if (tls === undefined || who === null || !urls.every(node => URL.canParse(node))) return unreadable
  const nodes = urls.map(node => new URL(node)).map(({ hostname, port }) => ({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }))
  const [username, password] = [who.username, who.password].map(decoded)
  if (username === undefined || password === undefined || nodes.some(({ host }) => host === '')) return unreadable
  const isCluster = cluster !== undefined || nodes.length > 1
  // What Redis does not select it does not refuse either: it goes on with database 0, which may be another's.
  if (!/^\d*$/.test(path) || /[?&]db=/.test(query)) return 'must name the database by its number, behind the host, as in redis://host:6379/2'
  if (isCluster && Number(path) !== 0) return 'must name no database: a cluster has only 0'
  return { isCluster, isTls: tls === 's', nodes, username: username || undefined, password: password || undefined, database: Number(path) }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
