// The audit log as it is read: events by actor, action, target, organization and time, page by page or all of them.
import type { Database, Prisma } from '../platform/data/database.ts'
import { detailsOf } from '../platform/data/event-chain.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { Problem } from '../platform/errors.ts'

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
  /** The place in its chain, 0 for an event from before there were chains; such a one has no hashes. */
  readonly seq: number
  readonly previous?: Buffer
  readonly hash?: Buffer
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
  /** All events, the oldest first, read as they are taken. Throws `busy` at the first when too many are read so in this process. */
  read(filter: AuditFilter): AsyncIterable<AuditEvent>
}

const readSize = 500
const maxReaders = 4

/** Makes the service. The rows are written by `change()` alone. */
export const createAuditLog = ({ database }: { database: Database }): AuditLog => {
  const { auditEvent } = database.prisma
  let readers = 0
  const pages = async function* (where: Prisma.AuditEventWhereInput) {
    for (let after: string | undefined; ; ) {
      const rows = await auditEvent.findMany(pageOf(where, { limit: readSize - 1, after, isAscending: true }))
      yield* rows.map(toEvent)
      after = rows.at(-1)?.id
      if (rows.length < readSize) return
    }
  }
  return {
    list: async (filter, page) => {
      const where = toWhere(filter)
      const [rows, total] = await Promise.all([auditEvent.findMany(pageOf(where, page)), auditEvent.count({ where })])
      return { rows: rows.map(toEvent), total }
    },
    read: async function* (filter) {
      if (readers >= maxReaders) throw new Problem('busy', { retryAfterSeconds: 10 })
      readers += 1
      try {
        yield* pages(toWhere(filter))
      } finally {
        readers -= 1
      }
    },
  }
}

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
  seq: bigint
  previous: Uint8Array | null
  hash: Uint8Array | null
}

const toEvent = (row: Row): AuditEvent => {
  const details = detailsOf(row.target, row.targetId)
  return {
    id: row.id,
    occurredAt: row.occurredAt,
    action: row.action,
    outcome: row.outcome === 'refused' ? 'refused' : 'kept',
    actor: { kind: row.actorKind, id: row.actorId ?? undefined },
    target: { kind: row.targetKind, id: row.targetId ?? undefined, details: isObject(details) ? details : {} },
    organizationId: row.organizationId ?? undefined,
    requestId: row.requestId ?? undefined,
    ip: row.ip ?? undefined,
    userAgent: row.userAgent ?? undefined,
    seq: Number(row.seq),
    previous: row.previous ? Buffer.from(row.previous) : undefined,
    hash: row.hash ? Buffer.from(row.hash) : undefined,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
