// The budget of each caller, told in the RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10).
import type { Context } from 'koa'
import { Problem } from '../errors.ts'
import { addressKey, type MakeLimit, type Remaining } from './limit.ts'
import type { Admit } from './mount.ts'

const windowSeconds = 60

/** Makes it: a budget a minute for each person, key and client, and for each address where nobody says who they are. */
export const createAdmit = ({ limit, requestsPerMinute }: { limit: MakeLimit; requestsPerMinute: number }): Admit => {
  const budget = limit('api', { points: requestsPerMinute, durationSeconds: windowSeconds })
  return async (ctx, actor) => {
    const key = actor.kind === 'anonymous' ? `address:${addressKey(ctx.ip)}` : `${actor.kind}:${actor.id}`
    ctx.set('RateLimit-Policy', `"api";q=${requestsPerMinute};w=${windowSeconds}`)
    try {
      tell(ctx, await budget.consume(key))
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'too_many_attempts')) throw error
      tell(ctx, { remaining: 0, resetSeconds: error.retryAfterSeconds ?? windowSeconds })
      throw new Problem('rate_limited', { cause: error, retryAfterSeconds: error.retryAfterSeconds })
    }
  }
}

const tell = (ctx: Context, { remaining, resetSeconds }: Pick<Remaining, 'remaining' | 'resetSeconds'>) =>
  ctx.set('RateLimit', `"api";r=${remaining};t=${resetSeconds}`)
