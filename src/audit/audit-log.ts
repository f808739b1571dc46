// The audit log as it is listed: events by actor, action, target, organization and time, page by page.
import type { Database, Prisma } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { type AuditEvent, type AuditFilter, toEvent } from './audit-event.ts'

/** The audit log. */
export interface AuditLog {
  list(filter: AuditFilter, page: PageRequest): Promise<Found<AuditEvent>>
  /** The newest first; how many there are in all is not counted. */
  newest(filter: AuditFilter, limit: number): Promise<readonly AuditEvent[]>
}

/** Makes the service. The rows are written by `change()` alone. */
export const createAuditLog = ({ prisma: { auditEvent } }: Database): AuditLog => ({
  list: async (filter, page) => {
    const where = toWhere(filter)
    const [rows, total] = await Promise.all([auditEvent.findMany(pageOf(where, page)), auditEvent.count({ where })])
    return { rows: rows.map(toEvent), total }
  },
  newest: async (filter, limit) => (await auditEvent.findMany({ where: toWhere(filter), orderBy: { id: 'desc' }, take: limit })).map(toEvent),
})

const toWhere = ({ actorId, action, targetId, targetKind, outcome, organizationId, from, to }: AuditFilter): Prisma.AuditEventWhereInput => ({
  actorId,
  action,
  targetId,
  targetKind,
  outcome,
  organizationId,
  occurredAt: { gte: from, lt: to },
})
