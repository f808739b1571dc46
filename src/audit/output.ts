// Events as the API tells them, in lists and in exports.
import { z } from 'zod'
import type { AuditEvent } from './audit-event.ts'

const hex = z.string().nullable()

/** An event in a list. `seq` is its place in its chain, `hash` the chain's hash there; 0 and null for one from before there were chains. */
export const auditEventOutput = z.object({
  id: z.uuid(),
  occurred_at: z.iso.datetime(),
  action: z.string(),
  outcome: z.enum(['kept', 'refused']),
  actor: z.object({ type: z.string(), id: z.string().nullable() }),
  target: z.object({ type: z.string(), id: z.string().nullable(), details: z.record(z.string(), z.json()) }),
  organization_id: z.uuid().nullable(),
  request_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  seq: z.int(),
  hash: hex,
})

/** An event in an export, with all that is needed to compute the chain anew. */
export const auditLineOutput = auditEventOutput.extend({ previous: hex })

/** Tells an event. */
export const outputOf = (event: AuditEvent): z.input<typeof auditEventOutput> => ({
  id: event.id,
  occurred_at: event.occurredAt.toISOString(),
  action: event.action,
  outcome: event.outcome,
  actor: { type: event.actor.kind, id: event.actor.id ?? null },
  target: { type: event.target.kind, id: event.target.id ?? null, details: event.target.details },
  organization_id: event.organizationId ?? null,
  request_id: event.requestId ?? null,
  ip: event.ip ?? null,
  user_agent: event.userAgent ?? null,
  seq: event.seq,
  hash: event.hash?.toString('hex') ?? null,
})

/** Tells an event of an export. */
export const lineOf = (event: AuditEvent): z.input<typeof auditLineOutput> => ({ ...outputOf(event), previous: event.previous?.toString('hex') ?? null })
