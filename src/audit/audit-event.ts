// The words of the audit log: an event as it is read, which are asked for, and how one is made of its row.
import type { z } from 'zod'
import { detailsOf } from '../platform/data/event-chain.ts'

/** What is told of a target. */
export type Details = Readonly<Record<string, z.core.util.JSONType>>

/** What happened, who did it, to what. */
export interface AuditEvent {
  readonly id: string
  readonly occurredAt: Date
  readonly action: string
  readonly outcome: 'kept' | 'refused'
  readonly actor: { readonly kind: string; readonly id?: string }
  readonly target: { readonly kind: string; readonly id?: string; readonly details: Details }
  readonly organizationId?: string
  readonly requestId?: string
  readonly ip?: string
  readonly userAgent?: string
  /** The place in its chain, 0 for an event from before there were chains; such a one has no hashes. */
  readonly seq: number
  readonly previous?: Buffer
  readonly hash?: Buffer
}

/** Which events to read. */
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

/** An event as Prisma reads it. */
export interface AuditEventRow {
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

/** Makes an event of its row. */
export const toEvent = (row: AuditEventRow): AuditEvent => {
  const details = detailsOf(row.target, row.targetId)
  return {
    id: row.id,
    occurredAt: row.occurredAt,
    action: row.action,
    outcome: row.outcome === 'refused' ? 'refused' : 'kept',
    actor: { kind: row.actorKind, id: row.actorId ?? undefined },
    target: { kind: row.targetKind, id: row.targetId ?? undefined, details: isDetails(details) ? details : {} },
    organizationId: row.organizationId ?? undefined,
    requestId: row.requestId ?? undefined,
    ip: row.ip ?? undefined,
    userAgent: row.userAgent ?? undefined,
    seq: Number(row.seq),
    previous: row.previous ? Buffer.from(row.previous) : undefined,
    hash: row.hash ? Buffer.from(row.hash) : undefined,
  }
}

// The column is JSON, so what is in an object is JSON too.
const isDetails = (value: unknown): value is Details => typeof value === 'object' && value !== null && !Array.isArray(value)
