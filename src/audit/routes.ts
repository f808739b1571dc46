// Reading the audit log, of the whole system or of one organization.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import type { AuditEvent, AuditLog } from './audit-log.ts'

interface Needs {
  readonly auditLog: AuditLog
  readonly lists: Lists
}

const time = z.iso.datetime({ offset: true })
const id = z.uuid().transform(value => value.toLowerCase())
const filters = {
  actor: text(200).optional(),
  action: text(100).optional(),
  target: text(200).optional(),
  target_type: text(100).optional(),
  outcome: z.enum(['kept', 'refused']).optional(),
  from: time.optional(),
  to: time.optional(),
}
const sorts = ['-occurred_at', 'occurred_at'] as const

const auditEventOutput = z.object({
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
})

/** Makes the routes. */
export const createAuditRoutes = ({ auditLog, lists }: Needs): readonly Route[] => {
  const systemQuery = listQuery({ sorts, filters: { ...filters, organization: id.optional() } })
  const read = async (name: string, query: z.output<typeof systemQuery>) => {
    const list = lists.open(name, query)
    const filter = {
      actorId: query.actor,
      action: query.action,
      targetId: query.target,
      targetKind: query.target_type,
      outcome: query.outcome,
      organizationId: query.organization,
      from: dateOf(query.from),
      to: dateOf(query.to),
    }
    const found = await auditLog.list(filter, { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'occurred_at' })
    const { data, meta } = list.page({ ...found, cursorOf: event => [event.id] })
    return { data: data.map(output), meta }
  }
  return [
    route({
      method: 'GET',
      path: '/audit-logs',
      summary: 'The audit log of the whole system, the newest first.',
      permission: 'audit:read',
      query: systemQuery,
      output: z.array(auditEventOutput),
      handle: ({ query }) => read('audit-logs', query),
    }),
    route({
      method: 'GET',
      path: '/organizations/:id/audit-logs',
      summary: 'The audit log of one organization, the newest first.',
      permission: 'audit:read',
      within: 'organization',
      params: z.strictObject({ id }),
      query: listQuery({ sorts, filters }),
      output: z.array(auditEventOutput),
      handle: ({ params, query }) => read('organizations/audit-logs', { ...query, organization: params.id }),
    }),
  ]
}

const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text))

const output = (event: AuditEvent): z.input<typeof auditEventOutput> => ({
  id: event.id,
  occurred_at: event.occurredAt.toISOString(),
  action: event.action,
  outcome: event.outcome,
  actor: { type: event.actor.kind, id: event.actor.id ?? null },
  target: { type: event.target.kind, id: event.target.id ?? null, details: z.record(z.string(), z.json()).parse(event.target.details) },
  organization_id: event.organizationId ?? null,
  request_id: event.requestId ?? null,
  ip: event.ip ?? null,
  user_agent: event.userAgent ?? null,
})
