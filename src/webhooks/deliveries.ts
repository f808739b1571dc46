// What became of the events of a webhook, and sending one again.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import type { Found, PageRequest } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'
import { type Delivery, told, type WebhookKey } from './webhook.ts'

/** Which deliveries to read. */
export interface DeliveryFilter {
  readonly state?: string | undefined
  /** The event's name. */
  readonly action?: string | undefined
}

// A busy webhook has millions, and nobody pages through them: up to here they are counted.
const maxTotal = 10_000

/** The deliveries of webhooks, kept for 30 days. Each throws `not_found` for a webhook or delivery that is not there. */
export interface Deliveries {
  /** `total` is 10,000 where there are more. */
  list(key: WebhookKey, filter: DeliveryFilter, page: PageRequest): Promise<Found<Delivery>>
  /** One that is over is sent again after all that waits; one that waits has the webhook tried again at once, with all its tries before it. */
  redeliver(actor: Actor, key: WebhookKey, eventId: string): Promise<Delivery>
}

/** Makes the service. */
export const createDeliveries = ({ database, change }: { readonly database: Database; readonly change: Change }): Deliveries => ({
  list: async (key, { state, action }, { limit, after, isAscending = false }) => {
    await getWebhook(database.prisma, key)
    const where = { webhookId: key.id, state, action }
    // The events' ids are in the order of their times.
    const eventId = after === undefined ? undefined : isAscending ? { gt: after } : { lt: after }
    const [rows, total] = await Promise.all([
      database.prisma.webhookDelivery.findMany({ where: { ...where, eventId }, orderBy: { eventId: isAscending ? 'asc' : 'desc' }, take: limit + 1 }),
      database.prisma.webhookDelivery.count({ where, take: maxTotal }),
    ])
    return { rows: rows.map(toDelivery), total }
  },
  redeliver: (actor, key, eventId) =>
    change(actor, async (tx, record) => {
      await tx.$queryRaw`SELECT id FROM webhooks WHERE id = ${key.id}::uuid FOR NO KEY UPDATE`
      const webhook = await getWebhook(tx, key)
      const again = await tx.$executeRaw`
        UPDATE webhook_deliveries SET state = 'waiting', position = DEFAULT
        WHERE webhook_id = ${key.id}::uuid AND event_id = ${eventId}::uuid AND state <> 'waiting'`
      const row = await tx.webhookDelivery.findUnique({ where: { webhookId_eventId: { webhookId: key.id, eventId } } })
      if (!row) throw new Problem('not_found')
      await (again === 0 ? tryAtOnce(tx, key) : waitNoLonger(tx, key))
      record('webhook.redelivered', { ...told(webhook), event_id: eventId }, { organizationId: key.organizationId })
      return toDelivery(row)
    }),
})

// A try that is under way may hang for long and fail: it speaks for the webhook no more.
const tryAtOnce = (tx: TransactionClient, { id }: WebhookKey) => tx.$executeRaw`
  UPDATE webhooks SET next_at = least(next_at, now()), failures = 0, lease = lease + 1, locked_until = NULL WHERE id = ${id}::uuid`

const waitNoLonger = (tx: TransactionClient, { id }: WebhookKey) => tx.$executeRaw`
  UPDATE webhooks SET next_at = now(), failures = 0 WHERE id = ${id}::uuid AND next_at > now()`

const getWebhook = async (tx: Pick<TransactionClient, 'webhook'>, { id, organizationId }: WebhookKey) => {
  const row = await tx.webhook.findFirst({ where: { id, organizationId: organizationId ?? null } })
  if (!row) throw new Problem('not_found')
  return row
}

interface Row {
  readonly eventId: string
  readonly action: string
  readonly state: string
  readonly attempts: number
  readonly attemptedAt: Date | null
  readonly status: number | null
  readonly durationMs: number | null
  readonly error: string | null
  readonly createdAt: Date
}

const toDelivery = ({ eventId, action, state, attempts, attemptedAt, status, durationMs, error, createdAt }: Row): Delivery => ({
  id: eventId,
  action,
  state,
  attempts,
  attemptedAt: attemptedAt ?? undefined,
  status: status ?? undefined,
  durationMilliseconds: durationMs ?? undefined,
  error: error ?? undefined,
  createdAt,
})
