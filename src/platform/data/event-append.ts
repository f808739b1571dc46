// Appends a change's events to their chains, as the last thing its transaction does.
//
// The head of a chain is a lock that all its changes take in turn, so it is taken late and held for two statements: one that locks
// it (or makes it) and tells where the chain is, one that inserts all events and moves it. A statement that guesses the place instead would save
// one trip, but under load most guesses are wrong: whoever waited for the head finds it moved.
import { setImmediate } from 'node:timers/promises'
import type { Secrets } from '../secrets.ts'
import { createUuids } from '../uuid.ts'
import type { TransactionClient } from './database.ts'
import { createChainMacs, type EventRow, genesisOf, leafOf, linkOf, type Place, systemChain } from './event-chain.ts'

/** An event before it has an id, a time and a place. */
export type NewEvent = Omit<EventRow, 'id' | 'occurred_at'>

/** Appends events to the chains of their organizations. To be awaited at the end of a transaction. */
export type AppendEvents = (tx: TransactionClient, events: readonly NewEvent[]) => Promise<void>

interface Needs {
  readonly secrets: Secrets
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
}

const eventsInTurn = 250

/** Makes it. Chains are taken in the order of their ids, so that no two changes wait for each other. */
export const createAppendEvents = ({ secrets, now, randomBytes }: Needs): AppendEvents => {
  const macs = createChainMacs(secrets)
  const newId = createUuids(randomBytes)

  const lock = async (tx: TransactionClient, chain: string): Promise<Place> => {
    const startedAt = now()
    const [head] = await tx.$queryRaw<Head[]>`
      INSERT INTO audit_chains AS c (id, started_at, seq, hash, mac)
      VALUES (${chain}::uuid, ${startedAt}::timestamptz, 0, ${genesisOf(chain)}, ${macs.first(chain, startedAt)})
      ON CONFLICT (id) DO UPDATE SET seq = c.seq RETURNING seq, hash, mac`
    if (!head) throw new Error('a chain without a head')
    return { seq: Number(head.seq), hash: Buffer.from(head.hash), mac: Buffer.from(head.mac) }
  }

  const append = async (tx: TransactionClient, { chain, events }: { chain: string; events: readonly NewEvent[] }) => {
    let place = await lock(tx, chain)
    // Under the lock, so that the order of times and ids is the order of the chain.
    const at = now()
    const rows: object[] = []
    for (const event of events) {
      const row = { ...event, id: newId(at), occurred_at: at.toISOString() }
      const previous = place.hash
      const next = { seq: place.seq + 1, hash: linkOf(previous, leafOf(row)) }
      place = { ...next, mac: macs.next(place, next) }
      rows.push({ ...row, seq: next.seq, previous: bytea(previous), hash: bytea(next.hash) })
      // A change of thousands of events lets other requests go on.
      if (rows.length % eventsInTurn === 0) await setImmediate()
    }
    await write(tx, { chain, rows, place })
  }

  return async (tx, events) => {
    const chains = Map.groupBy(events, event => event.organization_id ?? systemChain)
    for (const [chain, own] of [...chains].toSorted(([a], [b]) => (a < b ? -1 : 1))) await append(tx, { chain, events: own })
  }
}

interface Head {
  readonly seq: bigint
  readonly hash: Uint8Array
  readonly mac: Uint8Array
}

const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

const write = (tx: TransactionClient, { chain, rows, place }: { chain: string; rows: readonly object[]; place: Place }) =>
  tx.$executeRaw`
    WITH head AS (UPDATE audit_chains SET seq = ${place.seq}::bigint, hash = ${place.hash}, mac = ${place.mac} WHERE id = ${chain}::uuid)
    INSERT INTO audit_events (id, occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target,
                              organization_id, request_id, ip, user_agent, seq, previous, hash)
    SELECT id, occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target,
           organization_id, request_id, ip, user_agent, seq, previous, hash
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS event(
      id uuid, occurred_at timestamptz, action text, outcome text, actor_kind text, actor_id text, target_kind text, target_id text, target json,
      organization_id uuid, request_id text, ip text, user_agent text, seq bigint, previous bytea, hash bytea)`
