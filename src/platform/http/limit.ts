// Counts what guesses: a budget a key and window, kept where all processes see it, that never opens when its store is gone.
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { type Database, isReadOnly } from '../data/database.ts'
import { createPurge } from '../data/purge.ts'
import type { Redis } from '../data/redis.ts'
import { asideOfDeadline } from '../deadline.ts'
import { Problem } from '../errors.ts'
import { hashOf } from '../secrets.ts'
import { plainAddress } from './address.ts'

/** What is left of a budget. */
export interface Remaining {
  readonly points: number
  readonly remaining: number
  readonly resetSeconds: number
}

/** A budget of `points` each `durationSeconds` for any one key. */
export interface Limit {
  /**
   * Takes one point. Throws `too_many_attempts` when none is left and `unavailable` when the store is gone. `onFirstRefusal` is awaited
   * before the first refusal of a window and no later one, in whatever process it happens: a flood is told once.
   */
  consume(key: string, options?: { onFirstRefusal?: () => Promise<void> }): Promise<Remaining>
  /** Gives one point back: the attempt was honest. */
  reward(key: string): Promise<void>
  /** Makes it as if nothing had been taken. */
  clear(key: string): Promise<void>
}

/** Makes limits by name. */
export type MakeLimit = (name: string, budget: { points: number; durationSeconds: number }) => Limit

/**
 * Limits in Redis where there is one, else in PostgreSQL. While that takes no writes, each process counts for itself: nothing is issued then, and
 * what is only read goes on.
 */
export const createLimits =
  ({ database, redis }: { database: Database; redis?: Redis }): MakeLimit =>
  (name, { points, durationSeconds }) => {
    const budget = { keyPrefix: name, points, duration: durationSeconds }
    const limiter = redis
      ? new RateLimiterRedis({ ...budget, storeClient: redis.client })
      : new RateLimiterPostgres({
          ...budget,
          storeClient: unnamed(database),
          storeType: 'client',
          tableName: 'rate_limits',
          tableCreated: true,
          clearExpiredByTimeout: false,
        })
    const own = new RateLimiterMemory(budget)
    const counted = <Result>(work: (limit: RateLimiterAbstract) => Promise<Result>) =>
      asideOfDeadline(() => work(limiter).catch(failure => (isReadOnly(failure) ? work(own) : Promise.reject(failure))))
    // Of any length, and nobody's address in clear.
    const stored = (key: string) => hashOf('limit', key).toString('base64url')
    return {
      consume: async (key, { onFirstRefusal } = {}) => {
        try {
          const { remainingPoints, msBeforeNext } = await counted(limit => limit.consume(stored(key)))
          return { points, remaining: remainingPoints, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) }
        } catch (refusal) {
          if (!(refusal instanceof RateLimiterRes)) throw new Problem('unavailable', { cause: refusal, retryAfterSeconds: 5 })
          if (refusal.consumedPoints === points + 1) await onFirstRefusal?.()
          throw new Problem('too_many_attempts', { retryAfterSeconds: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)) })
        }
      },
      reward: async key => {
        await counted(limit => limit.reward(stored(key)))
      },
      clear: async key => {
        await counted(limit => limit.delete(stored(key)))
      },
    }
  }

/** Forgets budgets whose window is over. They expire by the clock of a process, which may be half a minute behind. */
export const purgeRateLimits = createPurge({
  table: 'rate_limits',
  key: 'key',
  due: "expire < (extract(epoch FROM now() - interval '1 minute') * 1000)::bigint",
})

// The embedded database has one session, in which the library's prepared names would collide.
const unnamed = (database: Database) => ({ query: ({ text, values }: { text: string; values: unknown[] }) => database.pool.query({ text, values }) })

/** The network of an address, for telling places apart: IPv4 by its /24, IPv6 by its /48. */
export const networkOf = (ip: string): string => {
  const key = addressKey(ip)
  const separator = key.includes(':') ? ':' : '.'
  return key.split(separator).slice(0, 3).join(separator)
}

/** The key of an address: IPv6 by its /64, IPv4 also where it is written as IPv6. */
export const addressKey = (ip: string): string => {
  const mapped = plainAddress(ip)
  if (!mapped.includes(':')) return mapped
  const [head = '', tail] = mapped.split('::', 2)
  const left = head.split(':').filter(Boolean)
  const right = tail?.split(':').filter(Boolean) ?? []
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}
