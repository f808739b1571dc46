// Bounds guessing of client secrets without a cost to those who know theirs: only failures are counted, and whoever used the
// budget up is remembered here, in memory, until it is full again.
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import { limited } from './problems.ts'

/** Wraps the check of a secret. */
export type LimitSecret = (guess: { clientId: string; ip: string; check: () => Promise<boolean> }) => Promise<boolean>

const maxRemembered = 10_000

/** A hundred failures a client, address and quarter of an hour; then 429 `invalid_client` for right and wrong alike. */
export const createSecretLimit = ({ limit, now }: { limit: MakeLimit; now: () => Date }): LimitSecret => {
  const failures = limit('client-secret', { points: 100, durationSeconds: 900 })
  const closedUntil = new Map<string, number>()
  return ({ clientId, ip, check }) =>
    limited(async () => {
      const leftMilliseconds = closedUntil.size > 0 ? (closedUntil.get(keyOf(clientId, ip)) ?? 0) - now().getTime() : 0
      if (leftMilliseconds > 0) throw new Problem('too_many_attempts', { retryAfterSeconds: Math.ceil(leftMilliseconds / 1000) })
      if (await check()) return true
      const key = keyOf(clientId, ip)
      try {
        await failures.consume(key)
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'too_many_attempts')) throw error
        if (closedUntil.size >= maxRemembered) closedUntil.clear()
        closedUntil.set(key, now().getTime() + (error.retryAfterSeconds ?? 60) * 1000)
        throw error
      }
      return false
    }, closed)
}

const closed = { code: 'invalid_client', description: 'too many failed attempts, try again later' }

const keyOf = (clientId: string, ip: string) => `${clientId}:${addressKey(ip)}`
