// How often a client may ask whether its person has answered: the same for device codes and backchannel requests, in whatever process it asks.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type Database, isUnavailable, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { hashOf } from '../platform/secrets.ts'
import { at, paths } from './paths.ts'

/** What stands in the engine before its answers. */
export type Pace = (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => Promise<unknown>

const firstSeconds = 5
const moreSeconds = 5
const mostSeconds = 60
// Networks are no clocks: a second early is in time.
const toleratedSeconds = 1

const early = `clock_timestamp() < p.polled_at + make_interval(secs => p.interval_seconds - ${toleratedSeconds})`

// One statement decides, and polls that come together are decided one after the other.
const poll = statement(
  'poll',
  `INSERT INTO oidc_polls AS p (key, interval_seconds, polled_at, is_early, expires_at)
   VALUES ($1, ${firstSeconds}, clock_timestamp(), false, now() + interval '1 hour')
   ON CONFLICT (key) DO UPDATE SET is_early = ${early}, polled_at = clock_timestamp(),
     interval_seconds = CASE WHEN ${early} THEN least(p.interval_seconds + ${moreSeconds}, ${mostSeconds}) ELSE p.interval_seconds END
   RETURNING is_early AS "isEarly"`,
)

/** Forgets what nobody asks after any more. */
export const purgePolls = createPurge({ table: 'oidc_polls', key: 'key', due: 'expires_at < now()' })

/**
 * Makes it. A poll that comes before its time is answered `slow_down`, and the time becomes five seconds longer (RFC 8628 §3.5, CIBA
 * Core §11), up to a minute. Only what still waits is slowed down: a client that was notified gets its tokens at once.
 */
export const createPace = ({ database }: { database: Database }): Pace => {
  const isEarly = async (code: string) => (await database.run<{ isEarly: boolean }>(poll, [hashOf('poll', code)]))[0]?.isEarly ?? false
  return at(paced, async (ctx: KoaContextWithOIDC, next) => {
    await next()
    const body: unknown = ctx.body
    if (!ctx.oidc || typeof body !== 'object' || body === null) return
    if (starts.some(route => route === ctx.oidc.route) && ctx.status === 200) Object.assign(body, { interval: firstSeconds })
    const code = 'error' in body && body.error === 'authorization_pending' ? codeOf(ctx) : undefined
    if (code === undefined) return
    try {
      if (await isEarly(code)) ctx.body = { error: 'slow_down', error_description: `ask ${moreSeconds} seconds later from now on` }
    } catch (error) {
      if (!isUnavailable(error)) throw error
      ctx.status = 503
      ctx.body = { error: 'temporarily_unavailable', error_description: 'try again in a moment' }
    }
  })
}

const starts = ['device_authorization', 'backchannel_authentication'] as const
const paced = [paths.token, ...starts.map(route => paths[route])]

const codeOf = ({ oidc: { params } }: KoaContextWithOIDC): string | undefined => {
  const code = params?.auth_req_id ?? params?.device_code
  return typeof code === 'string' ? `${String(params?.grant_type)}\0${code}` : undefined
}
