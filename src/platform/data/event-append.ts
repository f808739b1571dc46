// Appends a change's events to their chains, as the last thing its transaction does.
//
// The head of a chain is a lock that all its changes take in turn, so it is taken late and held for two statements: one that locks
// it and tells where the chain is, one that inserts all events and moves it. A statement that guesses the place instead would save
// one trip, but under load most guesses are wrong: whoever waited for the head finds it moved. What is dear of an event is done before the
// lock, so its id and time say when it was recorded, and its place alone says what came before it.
import { setImmediate } from 'node:timers/promises'
import type { Secrets } from '../secrets.ts'
import { createLockHeads } from './chain-heads.ts'
import type { TransactionClient } from './database.ts'
import { type ChainMacs, chainStarted, createChainMacs, type EventRow, leafOf, linkOf, type Place, systemChain } from './event-chain.ts'
import { Prisma } from './generated/client.ts'

/** An event before it has an id, a time and a place. */
export type NewEvent = Omit<EventRow, 'id' | 'occurred_at'>

/** Appends events to the chains of their organizations. To be awaited at the end of a transaction. */
export type AppendEvents = (tx: TransactionClient, events: readonly NewEvent[]) => Promise<void>

interface Needs {
  readonly secrets: Secrets
  readonly now: () => Date
  readonly newUuid: () => string
  /** A statement that is run with each insertion of events: in it, `event` has their rows, which are of one chain. */
  readonly outbox?: string
}

/** An event that wants nothing but its place. */
interface Draft {
  readonly chain: string
  readonly leaf: Buffer
  /** Its row as JSON, still open for its place. */
  readonly json: string
}

const eventsInTurn = 250

/** Makes it. */
export const createAppendEvents = ({ secrets, now, newUuid, outbox }: Needs): AppendEvents => {
  const macs = createChainMacs(secrets)
  const lockHeads = createLockHeads(macs)
  const write = createWrite(outbox)

  const draft = (event: NewEvent, at: Date): Draft => {
    const row = { ...event, id: newUuid(), occurred_at: at.toISOString() }
    return { chain: event.organization_id ?? systemChain, leaf: leafOf(row), json: JSON.stringify(row).slice(0, -1) }
  }

  const draftAll = async (events: readonly NewEvent[], at: Date): Promise<Draft[]> => {
    const drafts: Draft[] = []
    for (const event of events) {
      drafts.push(draft(event, at))
      // A change of thousands of events lets other requests go on.
      if (drafts.length % eventsInTurn === 0) await setImmediate()
    }
    return drafts
  }

  return async (tx, events) => {
    const at = now()
    const drafts = Map.groupBy(await draftAll(events, at), ({ chain }) => chain)
    const { places, started } = await lockHeads(tx, { chains: [...drafts.keys()], at })
    const starts = started.map(chain => draft(startOf(chain, at), at))
    for (const [chain, from] of places) {
      const own = [...(chain === systemChain ? starts : []), ...(drafts.get(chain) ?? [])]
      if (own.length > 0) await write(tx, { chain, ...link(own, { from, macs }) })
    }
  }
}

const startOf = (chain: string, at: Date): NewEvent => ({
  action: chainStarted,
  outcome: 'kept',
  actor_kind: 'system',
  actor_id: null,
  target_kind: 'audit_chain',
  target_id: chain,
  target: { id: chain, started_at: at.toISOString() },
  organization_id: null,
  request_id: null,
  ip: null,
  user_agent: null,
})

const link = (drafts: readonly Draft[], { from, macs }: { from: Place; macs: ChainMacs }): { rows: string; place: Place } => {
  let place = from
  const rows: string[] = []
  for (const { leaf, json } of drafts) {
    const next = { seq: place.seq + 1, hash: linkOf(place.hash, leaf) }
    rows.push(`${json},"seq":${next.seq},"previous":"\\\\x${place.hash.toString('hex')}","hash":"\\\\x${next.hash.toString('hex')}"}`)
    place = { ...next, mac: macs.next(place, next) }
  }
  return { rows: `[${rows.join()}]`, place }
}

const createWrite = (outbox: string | undefined) => {
  const beside = outbox === undefined ? Prisma.empty : Prisma.raw(`, outbox AS (${outbox})`)
  return (tx: TransactionClient, { chain, rows, place }: { chain: string; rows: string; place: Place }) =>
    tx.$executeRaw`
      WITH head AS (UPDATE audit_chains SET seq = ${place.seq}::bigint, hash = ${place.hash}, mac = ${place.mac} WHERE id = ${chain}::uuid),
      event AS (
        SELECT * FROM json_to_recordset(${rows}::json) AS event(
          id uuid, occurred_at timestamptz, action text, outcome text, actor_kind text, actor_id text, target_kind text, target_id text, target json,
          organization_id uuid, request_id text, ip text, user_agent text, seq bigint, previous bytea, hash bytea)
      )${beside}
      INSERT INTO audit_events (id, occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target,
                                organization_id, request_id, ip, user_agent, seq, previous, hash)
      SELECT id, occurred_at, action, outcome, actor_kind, actor_id, target_kind, target_id, target,
             organization_id, request_id, ip, user_agent, seq, previous, hash
      FROM event`
}
