// All events of the audit log, chain by chain and each chain in its order, so that whoever commits late is not passed over.
//
// First the events from before there were chains, of which each organization's are in the order of their times. A page is so many rows of the
// index whatever the filter, so that no statement runs long.
import { type Database, type Statement, statement } from '../platform/data/database.ts'
import { systemChain } from '../platform/data/event-chain.ts'
import { type AuditEvent, type AuditEventRow, type AuditFilter, toEvent } from './audit-event.ts'
import { createSlots } from './slots.ts'

/** Reads the log for its export. */
export interface AuditExport {
  /**
   * The events, read as they are taken: those of no organization first, then each organization's, of each the oldest first. Throws `busy` at the
   * first when as many are read in this process as may; whoever reads `within` an organization takes its slot, anybody else that of the system.
   */
  read(filter: AuditFilter, within?: string): AsyncIterable<AuditEvent>
}

interface Row extends Omit<AuditEventRow, 'seq'> {
  readonly seq: string
  readonly chain: string
  readonly isWanted: boolean
  readonly isLastOfFull: boolean
}

const pageSize = 500
const lastChain = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
// The expression of the indexes, word for word.
const chainOf = `coalesce(organization_id, '${systemChain}'::uuid)`
const wanted = `($2::text IS NULL OR actor_id = $2) AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR target_id = $4)
  AND ($5::text IS NULL OR target_kind = $5) AND ($6::text IS NULL OR outcome = $6)
  AND ($7::timestamptz IS NULL OR occurred_at >= $7) AND ($8::timestamptz IS NULL OR occurred_at < $8)`

/** The last row of a page is told though nobody wants it, to go on from there. */
const pageOf = (page: string) =>
  `SELECT id, occurred_at AS "occurredAt", action, outcome, actor_kind AS "actorKind", actor_id AS "actorId", target_kind AS "targetKind", target_id AS "targetId", target,
          organization_id AS "organizationId", request_id AS "requestId", ip, user_agent AS "userAgent", seq, previous, hash, ${chainOf} AS chain,
          (${wanted}) AS "isWanted", place = ${pageSize} AS "isLastOfFull"
   FROM (SELECT *, row_number() OVER (ORDER BY ${page}) AS place FROM audit_events WHERE`
const end = (page: string) => `ORDER BY ${page} LIMIT ${pageSize}) AS page WHERE (${wanted}) OR place = ${pageSize} ORDER BY place`

const unchainedOrder = `${chainOf}, occurred_at, id`
const unchained = statement(
  'audit-export-unchained',
  `${pageOf(unchainedOrder)} ${chainOf} <= $1::uuid AND seq <= 0 AND (${chainOf}, occurred_at, id) > ($9::uuid, $10::timestamptz, $11::uuid) ${end(unchainedOrder)}`,
)
const chainedOrder = `${chainOf}, seq`
const chained = statement(
  'audit-export-chained',
  `${pageOf(chainedOrder)} ${chainOf} <= $1::uuid AND seq > 0 AND (${chainOf}, seq) > ($9::uuid, $10::bigint) ${end(chainedOrder)}`,
)

/** Makes the service. */
export const createAuditExport = (database: Database): AuditExport => {
  const slots = createSlots({ organizations: 6, system: 2 })

  const pages = async function* (one: Statement, { values, first, after }: Reading) {
    for (let place = first; ; ) {
      const rows = await database.run<Row>(one, [...values, ...place])
      for (const row of rows) if (row.isWanted) yield toEvent({ ...row, seq: BigInt(row.seq) })
      const last = rows.at(-1)
      if (!last?.isLastOfFull) return
      place = after(last)
    }
  }

  return {
    read: async function* (filter, within) {
      const giveBack = slots.take(within)
      const values = valuesOf(filter)
      const chain = filter.organizationId ?? systemChain
      try {
        yield* pages(unchained, { values, first: [chain, '-infinity', systemChain], after: ({ chain, occurredAt, id }) => [chain, occurredAt, id] })
        yield* pages(chained, { values, first: [chain, 0], after: ({ chain, seq }) => [chain, seq] })
      } finally {
        giveBack()
      }
    },
  }
}

interface Reading {
  readonly values: readonly unknown[]
  readonly first: readonly unknown[]
  readonly after: (last: Row) => readonly unknown[]
}

const valuesOf = ({ organizationId, actorId, action, targetId, targetKind, outcome, from, to }: AuditFilter): readonly unknown[] => [
  organizationId ?? lastChain,
  actorId,
  action,
  targetId,
  targetKind,
  outcome,
  from,
  to,
]
