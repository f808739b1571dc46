// Checks of Redis: whether it is there, and forgets nothing before its time.
import { parseRedisUrl } from '../../../src/platform/data/redis-url.ts'
import type { Check } from '../check.ts'
import { isLoopback } from '../settings.ts'

const refusal = /^(NOAUTH|WRONGPASS|NOPERM)|AUTH|password/i
const oldestMajor = 7

export const redisChecks: readonly Check[] = [
  {
    code: 'redis_missing',
    level: 'wrong',
    settings: ['REDIS_URL'],
    why: 'Processes would not share limits, codes and replay ids quickly enough; production does not start without it.',
    mend: 'Set REDIS_URL to a Redis 7 or newer.',
    look: ({ settings }) => settings.isProduction && settings.redisUrl === undefined && 'REDIS_URL is not set in production.',
  },
  {
    code: 'redis_unreachable',
    level: 'wrong',
    why: 'Requests that need it answer 503, and the server does not start.',
    mend: 'Look at REDIS_URL (host, port, TLS, database), at the firewall, and whether Redis runs.',
    look: ({ redis: { failure } }) => failure && !refusal.test(failure.reason) && `Redis cannot be used: ${failure.reason}.`,
  },
  {
    code: 'redis_refused',
    level: 'wrong',
    why: 'The server does not start.',
    mend: 'Put the user and password of Redis into REDIS_URL, special characters percent-encoded.',
    look: ({ redis: { failure } }) => failure && refusal.test(failure.reason) && `Redis refuses the password of REDIS_URL: ${failure.reason}.`,
  },
  {
    code: 'redis_old',
    level: 'wrong',
    why: 'Authy2 is tested with Redis 7 and newer; older ones get no repairs.',
    mend: 'Upgrade Redis.',
    look: ({ redis: { version } }) => version !== undefined && Number.parseInt(version, 10) < oldestMajor && `Redis is version ${version}.`,
  },
  {
    code: 'redis_evicting',
    level: 'wrong',
    why: 'When it is full it forgets limits, and ids that must not be used twice.',
    mend: 'Set maxmemory-policy noeviction, and enough memory.',
    look: ({ redis: { evictionPolicy: policy } }) => policy !== undefined && policy !== 'noeviction' && `Redis evicts by ${policy}.`,
  },
  {
    code: 'redis_forgetful',
    level: 'warning',
    why: 'After each restart sign-ins under way begin anew, and limits start from nothing.',
    mend: 'Set appendonly yes.',
    look: ({ redis: { isPersistent } }) => isPersistent === false && 'Redis keeps nothing on disk.',
  },
  {
    code: 'redis_in_clear',
    level: 'warning',
    why: 'Codes and the state of sign-ins cross the network readable.',
    mend: 'Use rediss:// in REDIS_URL, or a private network that nobody else is in.',
    look: ({ settings: { redisUrl } }) => {
      const host = redisUrl?.startsWith('redis:') || redisUrl?.startsWith('redis+cluster:') ? hostOf(redisUrl) : undefined
      return host !== undefined && !isLoopback(host) && `The connection to ${host} is not encrypted.`
    },
  },
]

const hostOf = (url: string): string | undefined => {
  try {
    return parseRedisUrl(url).nodes[0]?.host
  } catch (error) {
    if (error instanceof Error && error.name === 'StartError') return undefined // told as unreachable
    throw error
  }
}
