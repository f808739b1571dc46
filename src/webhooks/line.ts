// The line of events before each webhook: who delivers for it, which event is next, what came of it.
//
// It is a durable queue of its own beside that of the jobs, for its order: one process at a time has a webhook, by a lease that lapses when it
// dies, and sends its events one after another.
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import type { Attempt } from './send.ts'

/** A webhook that is this process's alone for now. */
export interface Held {
  readonly id: string
  readonly lease: number
}

/** The event that is next, and where it goes. */
export interface Head {
  readonly eventId: string
  readonly url: string
  readonly sealed: string
  /** How often it failed since the webhook was last all right. */
  readonly failures: number
}

/** The lines of all webhooks. */
export interface Line {
  /** Takes up to `limit` webhooks that events wait for, of those whose last answer was slow or of the others. */
  claim(limit: number, isSlow: boolean): Promise<readonly Held[]>
  /** Keeps a webhook for another while and tells what is next; `undefined` where it is no longer ours, or nothing is due. */
  next(held: Held): Promise<Head | undefined>
  /** Notes that an event was delivered. */
  finish(held: Held, eventId: string, attempt: Attempt): Promise<void>
  /** Notes that it was not, and when it is tried again. */
  postpone(held: Held, eventId: string, attempt: Attempt & { readonly seconds: number }): Promise<void>
  /** Gives the webhook back, for so many seconds to nobody; those that waited longer come first. */
  release(held: Held, seconds: number): Promise<void>
}

/** What took longer than this has a line of its own. */
export const slowMilliseconds = 2000

// Beyond the time-out of a try.
const leaseSeconds = 30

// An organization that is deleted tells nobody anything; where it comes back, its line goes on.
const isOfLiving = 'NOT EXISTS (SELECT FROM organizations o WHERE o.id = w.organization_id AND o.deleted_at IS NOT NULL)'
// Materialized: a plan that asks the subquery once more for each row would find other rows then, and take more than the limit.
const claim = statement(
  'webhooks-claim',
  `WITH due AS MATERIALIZED (
     SELECT w.id FROM webhooks w
     WHERE w.disabled_at IS NULL AND w.next_at <= now() AND (w.locked_until IS NULL OR w.locked_until < now()) AND w.is_slow = $2
       AND ${isOfLiving}
       AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting')
     ORDER BY w.next_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
   )
   UPDATE webhooks w SET lease = lease + 1, locked_until = now() + make_interval(secs => $3) FROM due WHERE w.id = due.id RETURNING w.id, w.lease`,
)
const next = statement(
  'webhooks-next',
  `WITH held AS (
     UPDATE webhooks SET locked_until = now() + make_interval(secs => $3)
     WHERE id = $1 AND lease = $2 AND disabled_at IS NULL AND next_at <= now() RETURNING id, url, secrets, failures
   )
   SELECT first.event_id AS "eventId", held.url, held.secrets AS sealed, held.failures
   FROM held, LATERAL (SELECT event_id FROM webhook_deliveries WHERE webhook_id = held.id AND state = 'waiting' ORDER BY position LIMIT 1) first`,
)
// The lease is the fence: who came too late no longer speaks for the webhook.
const settle = statement(
  'webhooks-settle',
  `WITH held AS (
     UPDATE webhooks SET is_slow = $4, failures = CASE WHEN $8::double precision IS NULL THEN 0 ELSE failures + 1 END,
       next_at = now() + make_interval(secs => coalesce($8::double precision * (1 + random() / 10), 0))
     WHERE id = $1 AND lease = $2 RETURNING id
   )
   UPDATE webhook_deliveries d SET state = CASE WHEN $8::double precision IS NULL THEN 'delivered' ELSE 'waiting' END,
     attempts = attempts + 1, attempted_at = now(), status = $5, duration_ms = $6, error = $7
   FROM held WHERE d.webhook_id = held.id AND d.event_id = $3 AND d.state = 'waiting'`,
)
const release = statement(
  'webhooks-release',
  'UPDATE webhooks SET locked_until = NULL, next_at = greatest(next_at, now() + make_interval(secs => $3)) WHERE id = $1 AND lease = $2',
)

const backlog = statement(
  'webhooks-backlog',
  `SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(d.created_at)), 0)::float8 AS "oldestSeconds"
   FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id AND d.state = 'waiting' WHERE w.disabled_at IS NULL AND ${isOfLiving}`,
)

/** Makes the lines. */
export const createLine = (database: Database): Line => {
  const note = async ({ id, lease }: Held, eventId: string, { status, durationMilliseconds, error, seconds }: Attempt & { seconds?: number }) => {
    const isSlow = durationMilliseconds > slowMilliseconds
    await database.run(settle, [id, lease, eventId, isSlow, status ?? null, durationMilliseconds, error ?? null, seconds ?? null])
  }
  return {
    claim: (limit, isSlow) => database.run<Held>(claim, [limit, isSlow, leaseSeconds]),
    next: async ({ id, lease }) => (await database.run<Head>(next, [id, lease, leaseSeconds]))[0],
    finish: (held, eventId, attempt) => note(held, eventId, attempt),
    postpone: note,
    release: async ({ id, lease }, seconds) => {
      await database.run(release, [id, lease, seconds])
    },
  }
}

/** How many events wait for webhooks that are delivered to, and for how long the oldest does. */
export type WebhookBacklog = () => Promise<{ readonly waiting: number; readonly oldestSeconds: number }>

/** Makes it, for metrics. */
export const createWebhookBacklog =
  (database: Database): WebhookBacklog =>
  async () => {
    const [found] = await database.run<{ waiting: number; oldestSeconds: number }>(backlog)
    return found ?? { waiting: 0, oldestSeconds: 0 }
  }

/** Forgets what is 30 days old, sent or not. */
export const purgeWebhookDeliveries = createPurge({ table: 'webhook_deliveries', key: 'webhook_id, event_id', due: "created_at < now() - interval '30 days'" })
