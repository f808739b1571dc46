// The operations on webhooks: those of the system, and the same of one organization.
import { z } from 'zod'
import { listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import { type OperationNeeds, type Operations, operationsOf } from './operations.ts'
import { deliveryOutput, newWebhookBody, webhookBody, webhookOutput, webhookWithSecret } from './output.ts'
import { deliveryStates, filtersOf, type WebhookKey } from './webhook.ts'

const sorts = ['-created_at', 'created_at'] as const
const query = listQuery({ sorts, filters: {} })
const deliveriesQuery = listQuery({ sorts, filters: { state: z.enum(deliveryStates).optional(), event: text(100).optional() } })
const read = { permission: 'webhooks:read' } as const
const write = { permission: 'webhooks:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const

const secretTold =
  'The secret is told only here. Every request is signed by it as Standard Webhooks says: headers `webhook-id`, `webhook-timestamp` and `webhook-signature`.'
const readers = 'What a webhook is told is the audit log: who makes one, or changes its address or events, has to hold `audit:read` too.'

/** Where the routes stand. */
interface Place<All extends z.ZodType, One extends z.ZodType, Delivery extends z.ZodType> {
  readonly inside: { readonly within?: 'organization' }
  /** Whose they are, as the summaries say it. */
  readonly whose: string
  readonly all: `/${string}`
  readonly one: `/${string}`
  readonly allParams: All
  readonly oneParams: One
  readonly deliveryParams: Delivery
  readonly organizationOf: (params: z.output<All>) => string | undefined
  readonly keyOf: (params: z.output<One>) => WebhookKey
  readonly deliveryOf: (params: z.output<Delivery>) => { key: WebhookKey; eventId: string }
}

type Needs = OperationNeeds & { readonly eventNames: readonly string[] }

/** Makes the routes. */
export const createWebhookRoutes = ({ eventNames, ...needs }: Needs): readonly Route[] => {
  const does = operationsOf(needs)
  const filters = filtersOf(eventNames)
  const system = z.strictObject({ id: uuid })
  const organization = z.strictObject({ id: uuid, webhookId: uuid })
  const keyOf = ({ id, webhookId }: z.output<typeof organization>) => ({ id: webhookId, organizationId: id })
  return [
    ...routesIn(does, filters, {
      inside: {},
      whose: 'of the system, which is told the events of all organizations and of none',
      all: '/webhooks',
      one: '/webhooks/:id',
      allParams: z.strictObject({}),
      oneParams: system,
      deliveryParams: system.extend({ deliveryId: uuid }),
      organizationOf: () => undefined,
      keyOf: ({ id }) => ({ id }),
      deliveryOf: ({ id, deliveryId }) => ({ key: { id }, eventId: deliveryId }),
    }),
    ...routesIn(does, filters, {
      inside: { within: 'organization' },
      whose: 'of an organization, which is told its events',
      all: '/organizations/:id/webhooks',
      one: '/organizations/:id/webhooks/:webhookId',
      allParams: z.strictObject({ id: uuid }),
      oneParams: organization,
      deliveryParams: organization.extend({ deliveryId: uuid }),
      organizationOf: ({ id }) => id,
      keyOf,
      deliveryOf: ({ deliveryId, ...params }) => ({ key: keyOf(params), eventId: deliveryId }),
    }),
  ]
}

const routesIn = <All extends z.ZodType, One extends z.ZodType, Delivery extends z.ZodType>(
  does: Operations,
  filters: readonly string[],
  place: Place<All, One, Delivery>,
): readonly Route[] => {
  const { inside, whose, keyOf } = place
  const at = { ...inside, path: place.one, params: place.oneParams } as const
  return [
    route({
      ...read,
      ...inside,
      method: 'GET',
      path: place.all,
      summary: `The webhooks ${whose}.`,
      params: place.allParams,
      query,
      output: z.array(webhookOutput),
      handle: ({ params, query }) => does.list(query, place.organizationOf(params)),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: place.all,
      summary: `Makes a webhook ${whose}.`,
      description: `${secretTold} ${readers}`,
      params: place.allParams,
      body: newWebhookBody(filters),
      output: webhookWithSecret,
      status: 201,
      handle: ({ actor, params, body }) => does.create(actor, { organizationId: place.organizationOf(params), body }),
    }),
    route({ ...read, ...at, method: 'GET', summary: `One webhook ${whose}.`, output: webhookOutput, handle: ({ params }) => does.get(keyOf(params)) }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: `Changes a webhook ${whose}; one that is enabled again goes on where it stopped.`,
      description: readers,
      body: webhookBody(filters),
      output: webhookOutput,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: keyOf(params), body, ifMatch }),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: `Deletes a webhook ${whose}, with all that waits for it.`,
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: keyOf(params), ifMatch }),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: `${place.one}/secret/rotate`,
      summary: `Gives a webhook ${whose} a new secret; for 24 hours the old one signs beside it.`,
      description: secretTold,
      output: webhookWithSecret,
      handle: ({ actor, params }) => does.rotate(actor, keyOf(params)),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: `${place.one}/test`,
      summary: `Sends an event webhook.test to a webhook ${whose}, behind all that waits.`,
      output: done,
      handle: ({ actor, params }) => does.test(actor, keyOf(params)),
    }),
    route({
      ...read,
      ...at,
      method: 'GET',
      path: `${place.one}/deliveries`,
      summary: `What was sent to a webhook ${whose}, or waits to be, in the last 30 days; the newest first. Up to 10,000 are counted in \`total\`.`,
      query: deliveriesQuery,
      output: z.array(deliveryOutput),
      handle: ({ params, query }) => does.deliveries(keyOf(params), query),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: `${place.one}/deliveries/:deliveryId/redeliver`,
      summary: `Sends an event again to a webhook ${whose}: after all that waits, or at once where it waits itself.`,
      params: place.deliveryParams,
      output: deliveryOutput,
      handle: ({ actor, params }) => does.redeliver(actor, place.deliveryOf(params)),
    }),
  ]
}
