// The audit log as it is read: events by actor, action, target, organization and time, newest first.
import type { Database, Prisma } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'

/** What happened, who did it, to what. */
export interface AuditEvent {
  readonly id: string
  readonly occurredAt: Date
  readonly action: string
  readonly outcome: 'kept' | 'refused'
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly target: { readonly kind: string; readonly id?: string; readonly details: Readonly<Record<string, unknown>> }
  readonly organizationId?: string
  readonly requestId?: string
  readonly ip?: string
  readonly userAgent?: string
}

/** Which events to list. */
export interface AuditFilter {
  readonly actorId?: string
  readonly action?: string
  readonly targetId?: string
  readonly targetKind?: string
  readonly outcome?: 'kept' | 'refused'
  readonly organizationId?: string
  /** From this moment on. */
  readonly from?: Date
  /** Before this moment. */
  readonly to?: Date
}

/** The audit log. */
export interface AuditLog {
  list(filter: AuditFilter, page: PageRequest): Promise<Found<AuditEvent>>
}

/** Makes the service. The rows are written by `change()` alone. */
export const createAuditLog = ({ database }: { database: Database }): AuditLog => ({
  list: async (filter, page) => {
    const where = toWhere(filter)
    const [rows, total] = await Promise.all([database.prisma.auditEvent.findMany(pageOf(where, page)), database.prisma.auditEvent.count({ where })])
    return { rows: rows.map(toEvent), total }
  },
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

interface Row {
  id: string
  occurredAt: Date
  action: string
  outcome: string
  actorKind: string
  actorId: string | null
  targetKind: string
  targetId: string | null
  target: unknown
  organizationId: string | null
  requestId: string | null
  ip: string | null
  userAgent: string | null
}

const toEvent = (row: Row): AuditEvent => {
  const { id: _id, ...details } = isObject(row.target) ? row.target : {}
  return {
    id: row.id,
    occurredAt: row.occurredAt,
    action: row.action,
    outcome: row.outcome === 'refused' ? 'refused' : 'kept',
    actor: { kind: row.actorKind, id: row.actorId ?? undefined },
    target: { kind: row.targetKind, id: row.targetId ?? undefined, details },
    organizationId: row.organizationId ?? undefined,
    requestId: row.requestId ?? undefined,
    ip: row.ip ?? undefined,
    userAgent: row.userAgent ?? undefined,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
