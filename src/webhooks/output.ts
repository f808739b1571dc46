// Webhooks and their deliveries as the API tells them, and what it takes.
import { z } from 'zod'
import { name, text } from '../platform/http/text.ts'
import { type Delivery, deliveryErrors, deliveryStates, disabledReasons, type Webhook } from './webhook.ts'

/** A webhook: never a secret. */
export const webhookOutput = z.object({
  id: z.uuid(),
  organization_id: z.uuid().nullable(),
  name: z.string().nullable(),
  url: z.string(),
  events: z.array(z.string()),
  disabled: z.boolean(),
  disabled_at: z.iso.datetime().nullable(),
  disabled_reason: z.enum(disabledReasons).nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** A webhook beside its new secret. */
export const webhookWithSecret = z.object({ webhook: webhookOutput, secret: z.string() })

/** What became of an event. */
export const deliveryOutput = z.object({
  id: z.uuid(),
  event: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.int(),
  attempted_at: z.iso.datetime().nullable(),
  status_code: z.int().nullable(),
  duration_ms: z.int().nullable(),
  error: z.enum(deliveryErrors).nullable(),
  created_at: z.iso.datetime(),
})

// They are more than a message can hold.
const unknownEvent = ({ input }: { readonly input?: unknown }) =>
  `${typeof input === 'string' ? `there is no event ${JSON.stringify(input.slice(0, 100))}` : 'must be a text'}; GET /api/openapi.json lists those that are, and each kind as "kind.*"`

/** What a webhook is made of; `filters` are the events that may be asked for. */
export const newWebhookBody = (filters: readonly string[]) =>
  z.strictObject({
    url: text(2000),
    events: z
      .array(z.enum(filters, { error: unknownEvent }))
      .min(1)
      .max(100)
      .transform(events => [...new Set(events)]),
    name: name(100).nullable().optional(),
  })

/** What of one is changed. */
export const webhookBody = (filters: readonly string[]) => newWebhookBody(filters).extend({ disabled: z.boolean() }).partial()

/** Turns a webhook into what {@link webhookOutput} lets through. */
export const toWebhookOutput = ({ organizationId, disabled, createdAt, updatedAt, ...webhook }: Webhook): z.input<typeof webhookOutput> => ({
  id: webhook.id,
  organization_id: organizationId ?? null,
  name: webhook.name ?? null,
  url: webhook.url,
  events: [...webhook.events],
  disabled: disabled !== undefined,
  disabled_at: disabled?.at.toISOString() ?? null,
  disabled_reason: disabledReasons.find(reason => reason === disabled?.reason) ?? null,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
})

/** Turns a delivery into what {@link deliveryOutput} lets through. */
export const toDeliveryOutput = (delivery: Delivery): z.input<typeof deliveryOutput> => ({
  id: delivery.id,
  event: delivery.action,
  state: deliveryStates.find(state => state === delivery.state) ?? 'waiting',
  attempts: delivery.attempts,
  attempted_at: delivery.attemptedAt?.toISOString() ?? null,
  status_code: delivery.status ?? null,
  duration_ms: delivery.durationMilliseconds ?? null,
  error: deliveryErrors.find(error => error === delivery.error) ?? null,
  created_at: delivery.createdAt.toISOString(),
})
