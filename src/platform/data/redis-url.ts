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
  const [, tls, cluster, rest = ''] = /^redis(s?)(\+cluster)?:\/\/(.+)$/.exec(url) ?? []
  const at = rest.lastIndexOf('@')
  const [list = '', path] = rest.slice(at + 1).split(/[/?]/, 2)
  const urls = list.split(',').map(node => `redis://${node}`)
  if (tls === undefined || !urls.every(node => URL.canParse(node)) || !URL.canParse(`redis://${rest.slice(0, at + 1)}host`)) throw invalid()
  const nodes = urls.map(node => new URL(node)).map(({ hostname, port }) => ({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) }))
  if (nodes.some(({ host }) => host === '')) throw invalid()
  const { username, password } = new URL(`redis://${rest.slice(0, at + 1)}host`)
  return {
    isCluster: cluster !== undefined || nodes.length > 1,
    isTls: tls === 's',
    nodes,
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    database: /^\d+$/.test(path ?? '') ? Number(path) : 0,
  }
}

/** The place without its password. */
export function describeRedis({ nodes }: RedisPlace): string {
  return nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
}

function invalid(): StartError {
  return new StartError(
    'redis_url_invalid',
    'REDIS_URL cannot be read. It looks like redis://user:password@host:6379/0, or redis://a:6379,b:6379,c:6379 for a cluster.',
  )
}
