// What the routes of webhooks do, wherever they stand: parsed values in, answers out.
import type { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { mustHold } from '../platform/http/allow.ts'
import type { Lists } from '../platform/http/list.ts'
import type { IfMatch } from '../platform/http/route.ts'
import type { Deliveries } from './deliveries.ts'
import { type newWebhookBody, toDeliveryOutput, toWebhookOutput, type webhookBody } from './output.ts'
import type { Webhook, WebhookKey } from './webhook.ts'
import type { WebhookChanges, Webhooks } from './webhooks.ts'

/** What the operations need. */
export interface OperationNeeds {
  readonly webhooks: Webhooks
  readonly webhookDeliveries: Deliveries
  readonly lists: Lists
}

interface ListQuery {
  readonly limit: number
  readonly after?: string | undefined
  readonly sort: string
}

/** The operations. */
export type Operations = ReturnType<typeof operationsOf>

/** Makes them. */
export const operationsOf = ({ webhooks, webhookDeliveries: deliveries, lists }: OperationNeeds) => ({
  list: async (query: ListQuery, organizationId?: string) => {
    const list = lists.open(`webhooks of ${organizationId ?? 'the system'}`, { ...query })
    const found = await webhooks.list(organizationId, { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' })
    const { data, meta } = list.page({ ...found, cursorOf: webhook => [webhook.id] })
    return { data: data.map(toWebhookOutput), meta }
  },
  get: async (key: WebhookKey) => answer(await webhooks.get(key)),
  create: async (actor: Actor, { organizationId, body }: { organizationId?: string | undefined; body: z.output<ReturnType<typeof newWebhookBody>> }) => {
    mustReadEvents(actor, organizationId)
    return withSecret(await webhooks.create(actor, { ...body, organizationId }))
  },
  update: async (actor: Actor, { key, body, ifMatch }: { key: WebhookKey; body: z.output<ReturnType<typeof webhookBody>>; ifMatch: IfMatch }) => {
    const { disabled: isDisabled, ...rest } = body
    const changes: WebhookChanges = { ...rest, isDisabled }
    if (changes.url !== undefined || changes.events !== undefined) mustReadEvents(actor, key.organizationId)
    return answer(await webhooks.update(actor, key, { ...changes, expect: webhook => ifMatch(versionOf(webhook)) }))
  },
  remove: async (actor: Actor, { key, ifMatch }: { key: WebhookKey; ifMatch: IfMatch }) => {
    await webhooks.remove(actor, key, { expect: webhook => ifMatch(versionOf(webhook)) })
    return { data: null }
  },
  rotate: async (actor: Actor, key: WebhookKey) => withSecret(await webhooks.rotate(actor, key)),
  test: async (actor: Actor, key: WebhookKey) => {
    await webhooks.test(actor, key)
    return { data: null }
  },
  deliveries: async (key: WebhookKey, { state, event, ...query }: ListQuery & { state?: string | undefined; event?: string | undefined }) => {
    const list = lists.open(`deliveries of ${key.id}`, { ...query, state, event })
    const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
    const found = await deliveries.list(key, { state, action: event }, page)
    const { data, meta } = list.page({ ...found, cursorOf: delivery => [delivery.id] })
    return { data: data.map(toDeliveryOutput), meta }
  },
  redeliver: async (actor: Actor, { key, eventId }: { key: WebhookKey; eventId: string }) => ({
    data: toDeliveryOutput(await deliveries.redeliver(actor, key, eventId)),
  }),
})

// A webhook is told what stands in the audit log: nobody reads that by way of one who may not read it themselves.
const mustReadEvents = (actor: Actor, organizationId: string | undefined) => mustHold(actor, { permission: 'audit:read', organizationId })

const versionOf = (webhook: Webhook) => JSON.stringify(toWebhookOutput(webhook))

const answer = (webhook: Webhook) => ({ data: toWebhookOutput(webhook), version: versionOf(webhook) })

const withSecret = ({ webhook, secret }: { webhook: Webhook; secret: string }) => ({ data: { webhook: toWebhookOutput(webhook), secret } })
