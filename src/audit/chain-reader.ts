// Reads chains as they are stored: which there are, where each stands at one moment, and its events page by page.
import { type Database, statement } from '../platform/data/database.ts'
import { chainStarted, type EventRow, type Place, systemChain } from '../platform/data/event-chain.ts'

/** An event with its place. */
export interface ChainRow extends EventRow {
  readonly seq: number
  readonly previous: Buffer
  readonly hash: Buffer
}

/** The head of a chain. */
export interface Head extends Place {
  readonly startedAt: Date
  readonly checkpointNumber: number
  readonly checkpointMac: Buffer | null
}

/** Where a chain stands, all of it seen at one moment. */
export interface ChainState {
  readonly head?: Head
  /** The place of its last event, 0 where there is none. */
  readonly lastSeq: number
  readonly lastCheckpoint: number
  /** There are events in no chain, although they are newer than it. */
  readonly hasStrays: boolean
  /** When it began, as told by the system's chain, by at most two events; none for that chain itself. */
  readonly starts: readonly (string | null)[]
  /** When the system's chain began. */
  readonly anchor?: { readonly startedAt: Date; readonly mac: Buffer }
  /** There is such an organization. */
  readonly isOfOrganization: boolean
}

interface StateRow {
  seq: string | null
  hash: Buffer
  mac: Buffer
  started_at: Date
  checkpoint_number: string
  checkpoint_mac: Buffer | null
  last_seq: string | null
  last_checkpoint: string | null
  has_strays: boolean
  starts: (string | null)[]
  anchored_at: Date | null
  anchor_mac: Buffer | null
  is_of_organization: boolean
}

/** Reads chains. */
export interface ChainReader {
  /** The ids of all chains, also of those that began and of which nothing else is left. */
  chains(): AsyncIterable<string>
  state(chain: string): Promise<ChainState>
  /** The events after a place up to another, in pages. */
  rows(chain: string, range: { after: number; upTo: number }): AsyncIterable<readonly ChainRow[]>
  /** Where the events with these hashes (in hex) stand. */
  seqsOf(chain: string, hashes: ReadonlySet<string>): Promise<ReadonlyMap<string, number>>
}

const pageSize = 1000
// The expressions of the indexes, word for word.
const chainOf = `coalesce(organization_id, '${systemChain}'::uuid)`
const isStart = `action = '${chainStarted}' AND organization_id IS NULL AND seq > 0 AND target_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'`

const next = statement(
  'audit-next-chain',
  `SELECT least((SELECT id FROM audit_chains WHERE id > $1::uuid ORDER BY id LIMIT 1),
                (SELECT ${chainOf} FROM audit_events WHERE ${chainOf} > $1::uuid AND seq > 0 ORDER BY ${chainOf}, seq LIMIT 1),
                (SELECT chain FROM audit_checkpoints WHERE chain > $1::uuid ORDER BY chain, number LIMIT 1),
                (SELECT s.chain::uuid FROM (SELECT target_id AS chain FROM audit_events WHERE ${isStart} AND target_id COLLATE "C" > $1::uuid::text
                                           ORDER BY target_id COLLATE "C" LIMIT 1) AS s)) AS id`,
)
const stateOf = statement(
  'audit-chain-state',
  `SELECT c.seq, c.hash, c.mac, c.started_at, c.checkpoint_number, c.checkpoint_mac,
          (SELECT max(seq) FROM audit_events WHERE ${chainOf} = $1::uuid AND seq > 0) AS last_seq,
          (SELECT max(number) FROM audit_checkpoints WHERE chain = $1::uuid) AS last_checkpoint,
          EXISTS (SELECT FROM audit_events WHERE ${chainOf} = $1::uuid AND seq <= 0 AND occurred_at >= c.started_at) AS has_strays,
          ARRAY(SELECT target->>'started_at' FROM audit_events WHERE ${isStart} AND target_id COLLATE "C" = $1::uuid::text LIMIT 2) AS starts,
          a.started_at AS anchored_at, a.mac AS anchor_mac, EXISTS (SELECT FROM organizations WHERE id = $1::uuid) AS is_of_organization
   FROM (SELECT) AS one LEFT JOIN audit_chains c ON c.id = $1::uuid LEFT JOIN audit_anchors a ON $1::uuid = '${systemChain}'`,
)
const page = statement(
  'audit-chain-page',
  `SELECT id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target, organization_id, request_id, ip, user_agent, seq, previous, hash
   FROM audit_events WHERE ${chainOf} = $1::uuid AND seq > 0 AND seq > $2 AND seq <= $3 ORDER BY ${chainOf}, seq LIMIT ${pageSize}`,
)
const hashes = statement(
  'audit-chain-hashes',
  `SELECT seq, hash FROM audit_events WHERE ${chainOf} = $1::uuid AND seq > 0 AND seq > $2 ORDER BY ${chainOf}, seq LIMIT ${pageSize * 10}`,
)

/** Makes it. */
export const createChainReader = (database: Database): ChainReader => ({
  chains: async function* () {
    // The system's is looked at even when nothing of it is left.
    yield systemChain
    for (let id: string | null = systemChain; ; ) {
      const [row]: { id: string | null }[] = await database.run<{ id: string | null }>(next, [id])
      id = row?.id ?? null
      if (id === null) return
      yield id
    }
  },
  state: async chain => toState(await database.run<StateRow>(stateOf, [chain])),
  rows: async function* (chain, { after, upTo }) {
    for (let last = after; last < upTo; ) {
      const rows = (await database.run<StoredRow>(page, [chain, last, upTo])).map(toRow)
      if (rows.length > 0) yield rows
      if (rows.length < pageSize) return
      last = rows.at(-1)?.seq ?? upTo
    }
  },
  seqsOf: async (chain, wanted) => {
    const found = new Map<string, number>()
    for (let last = 0; found.size < wanted.size; ) {
      const rows = await database.run<{ seq: string; hash: Buffer | null }>(hashes, [chain, last])
      for (const { seq, hash } of rows) {
        const hex = hash?.toString('hex') ?? ''
        if (wanted.has(hex)) found.set(hex, Number(seq))
        last = Number(seq)
      }
      if (rows.length < pageSize * 10) break
    }
    return found
  },
})

const toState = ([row]: readonly StateRow[]): ChainState => ({
  head:
    row === undefined || row.seq === null
      ? undefined
      : {
          seq: Number(row.seq),
          hash: row.hash,
          mac: row.mac,
          startedAt: row.started_at,
          checkpointNumber: Number(row.checkpoint_number),
          checkpointMac: row.checkpoint_mac,
        },
  lastSeq: Number(row?.last_seq ?? 0),
  lastCheckpoint: Number(row?.last_checkpoint ?? 0),
  hasStrays: row?.has_strays ?? false,
  starts: row?.starts ?? [],
  anchor: row?.anchored_at && row.anchor_mac ? { startedAt: row.anchored_at, mac: row.anchor_mac } : undefined,
  isOfOrganization: row?.is_of_organization ?? false,
})

type StoredRow = EventRow & { seq: string; previous: Buffer | null; hash: Buffer | null }

const none = Buffer.alloc(0)

const toRow = (row: StoredRow): ChainRow => ({
  ...row,
  seq: Number(row.seq),
  previous: row.previous ?? none,
  hash: row.hash ?? none,
})
