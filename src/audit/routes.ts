// Reading the audit log, of the whole system or of one organization: page by page, or all of it as lines.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { linesRoute, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import { time } from '../platform/http/time.ts'
import type { AuditExport } from './audit-export.ts'
import type { AuditLog } from './audit-log.ts'
import { auditEventOutput, auditLineOutput, lineOf, outputOf } from './output.ts'

interface Needs {
  readonly auditLog: AuditLog
  readonly auditExport: AuditExport
  readonly lists: Lists
}

const filters = {
  actor: text(200).optional(),
  action: text(100).optional(),
  target: text(200).optional(),
  target_type: text(100).optional(),
  outcome: z.enum(['kept', 'refused']).optional(),
  from: time.optional(),
  to: time.optional(),
}
const systemFilters = { ...filters, organization: uuid.optional() }
const sorts = ['-occurred_at', 'occurred_at'] as const
const systemQuery = listQuery({ sorts, filters: systemFilters })
const systemExport = z.strictObject(systemFilters)
const params = z.strictObject({ id: uuid })

/** Makes the routes. */
export const createAuditRoutes = ({ auditLog, auditExport, lists }: Needs): readonly Route[] => {
  const list = async (name: string, query: z.output<typeof systemQuery>) => {
    const opened = lists.open(name, query)
    const page = { limit: opened.limit, after: opened.after?.[0], isAscending: query.sort === 'occurred_at' }
    const { data, meta } = opened.page({ ...(await auditLog.list(filterOf(query), page)), cursorOf: event => [event.id] })
    return { data: data.map(outputOf), meta }
  }
  const read = async function* (query: z.output<typeof systemExport>, within?: string) {
    for await (const event of auditExport.read(filterOf(query), within)) yield lineOf(event)
  }
  return [
    route({
      method: 'GET',
      path: '/audit-logs',
      summary: 'The audit log of the whole system, the newest first.',
      permission: 'audit:read',
      query: systemQuery,
      output: z.array(auditEventOutput),
      handle: ({ query }) => list('audit-logs', query),
    }),
    route({
      method: 'GET',
      path: '/organizations/:id/audit-logs',
      summary: 'The audit log of one organization, the newest first.',
      permission: 'audit:read',
      within: 'organization',
      params,
      query: listQuery({ sorts, filters }),
      output: z.array(auditEventOutput),
      handle: ({ params, query }) => list('organizations/audit-logs', { ...query, organization: params.id }),
    }),
    linesRoute({
      method: 'GET',
      path: '/audit-logs/export',
      summary: 'The audit log of the whole system as lines of JSON: first what belongs to no organization, then each organization, of each the oldest first.',
      permission: 'audit:read',
      query: systemExport,
      line: auditLineOutput,
      lines: ({ query }) => read(query),
    }),
    linesRoute({
      method: 'GET',
      path: '/organizations/:id/audit-logs/export',
      summary: 'The audit log of one organization as lines of JSON, the oldest first.',
      permission: 'audit:read',
      within: 'organization',
      params,
      query: z.strictObject(filters),
      line: auditLineOutput,
      lines: ({ params, query }) => read({ ...query, organization: params.id }, params.id),
    }),
  ]
}

const filterOf = (query: z.output<typeof systemExport>) => ({
  actorId: query.actor,
  action: query.action,
  targetId: query.target,
  targetKind: query.target_type,
  outcome: query.outcome,
  organizationId: query.organization,
  from: dateOf(query.from),
  to: dateOf(query.to),
})

const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
