// The words of this slice: webhooks, what they may ask for, and what became of each event.
import { z } from 'zod'
import { event } from '../platform/data/change.ts'

/** Names a webhook: of one organization, or of the system where none is told. Those of others are not found. */
export interface WebhookKey {
  readonly id: string
  readonly organizationId?: string | undefined
}

/** Why a webhook is disabled: somebody asked for it, it answered 410, or an event was given up. */
export const disabledReasons = ['asked', 'gone', 'failing'] as const

/** Where events are sent. */
export interface Webhook {
  readonly id: string
  readonly organizationId?: string
  readonly name?: string
  readonly url: string
  /** Names of events, all of a kind such as `user.*`, or `*`. */
  readonly events: readonly string[]
  readonly disabled?: { readonly at: Date; readonly reason: string }
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A webhook as Prisma reads it. */
export interface WebhookRow {
  readonly id: string
  readonly organizationId: string | null
  readonly name: string | null
  readonly url: string
  readonly events: readonly string[]
  readonly disabledAt: Date | null
  readonly disabledReason: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `waiting`: to be sent, or to be sent again. `failed`: given up. */
export const deliveryStates = ['waiting', 'delivered', 'failed'] as const

/** Why a try failed where no status says it. */
export const deliveryErrors = ['timeout', 'unreachable', 'certificate', 'forbidden_address', 'unreadable'] as const

/** What became of one event, which gives the delivery its id: `webhook-id`, the same in every try. */
export interface Delivery {
  readonly id: string
  /** The event's name. */
  readonly action: string
  readonly state: string
  readonly attempts: number
  readonly attemptedAt?: Date
  /** What the last try was answered. */
  readonly status?: number
  readonly durationMilliseconds?: number
  readonly error?: string
  readonly createdAt: Date
}

/** The event that tries a webhook: it goes there whatever the webhook asks for. */
export const testEvent = 'webhook.test'

/** Where a webhook is, without what of its address may be a secret. */
export const originOf = (url: string): string => new URL(url).origin

const shape = { name: z.string().nullable(), origin: z.string(), events: z.array(z.string()) }

/** The events of this slice. */
export const webhookEvents = {
  'webhook.created': event('webhook', shape),
  'webhook.updated': event('webhook', { ...shape, changed: z.array(z.string()) }),
  'webhook.secret_rotated': event('webhook', shape),
  'webhook.disabled': event('webhook', { ...shape, reason: z.string() }),
  'webhook.deleted': event('webhook', shape),
  'webhook.redelivered': event('webhook', { ...shape, event_id: z.string() }),
  [testEvent]: event('webhook', shape),
}

/** What an event tells of a webhook: the rest of its address may be a secret. */
export const told = ({ id, name, url, events }: Pick<WebhookRow, 'id' | 'name' | 'url' | 'events'>) => ({ id, name, origin: originOf(url), events })

/** What a webhook may ask for: every event, all of a kind, and each by its name. */
export const filtersOf = (names: readonly string[]): readonly string[] => [
  ...new Set(['*', ...names.map(name => `${name.slice(0, name.indexOf('.'))}.*`).toSorted(), ...names.toSorted()]),
]

/** A row as it is shown. */
export const toWebhook = ({ organizationId, name, disabledAt, disabledReason, ...row }: WebhookRow): Webhook => ({
  id: row.id,
  organizationId: organizationId ?? undefined,
  name: name ?? undefined,
  url: row.url,
  events: row.events,
  ...(disabledAt === null ? {} : { disabled: { at: disabledAt, reason: disabledReason ?? '' } }),
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
})
