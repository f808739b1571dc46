// The arithmetic of the event chains: what is hashed of an event, and how the hashes and MACs of a chain follow one another.
//
//   leaf = SHA-256(the event as canonical JSON, RFC 8785)      hash n = SHA-256(hash n-1 ‖ leaf n)      hash 0 comes from the chain's id
//   MAC n = HMAC-SHA-256(key, MAC n-1 ‖ n ‖ hash n)            MAC 0 comes from the chain's id and its beginning
//
// Hashes alone show an edit; whoever owns the database could compute them anew. Of the MACs only the newest is stored, so without
// SECRET_KEY nobody makes that of an edited chain, nor finds that of an earlier event to cut the chain back to it. Each organization has
// a chain of its own: it can check its events without seeing those of others, and its changes do not wait for theirs.

import { hash } from 'node:crypto'
import type { Secrets } from '../secrets.ts'
import { isObject } from '../values.ts'

/** The chain of events that belong to no organization. */
export const systemChain = '00000000-0000-0000-0000-000000000000'

/** The event, in the system's chain, that tells when another began. */
export const chainStarted = 'audit.chain_started'

/** An event as its row says it, without its place in the chain. */
export interface EventRow {
  readonly id: string
  /** ISO 8601 in UTC, to the millisecond. */
  readonly occurred_at: string
  readonly action: string
  readonly outcome: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly target_kind: string
  readonly target_id: string | null
  readonly target: unknown
  readonly organization_id: string | null
  readonly request_id: string | null
  readonly ip: string | null
  readonly user_agent: string | null
}

/** A place in a chain: how many events came, and what they amount to. */
export interface Place {
  readonly seq: number
  readonly hash: Buffer
  readonly mac: Buffer
}

/** The hash before the first event of a chain. */
export const genesisOf = (chain: string): Buffer => sha256(`authy2 audit chain\0${chain}`)

/**
 * The hash of an event as the API tells it, without `seq`, `previous` and `hash`: anybody can compute it from an export. Spelled out, for
 * sorting the same keys each time is most of the work.
 */
export const leafOf = (row: EventRow): Buffer =>
  sha256(
    `{"action":${json(row.action)},"actor":{"id":${json(row.actor_id)},"type":${json(row.actor_kind)}},"id":${json(row.id)},"ip":${json(row.ip)},"occurred_at":${json(row.occurred_at)},` +
      `"organization_id":${json(row.organization_id)},"outcome":${json(row.outcome)},"request_id":${json(row.request_id)},` +
      `"target":{"details":${canonical(detailsOf(row.target, row.target_id))},"id":${json(row.target_id)},"type":${json(row.target_kind)}},"user_agent":${json(row.user_agent)}}`,
  )

/** The hash of the chain after an event. */
export const linkOf = (previous: Buffer, leaf: Buffer): Buffer => hash('sha256', Buffer.concat([previous, leaf]), 'buffer')

/** What is told of a target besides its id. An id in it that is not the target's stays, to be seen. */
export const detailsOf = (target: unknown, targetId: string | null): unknown => {
  if (!isObject(target)) return target
  const { id, ...details } = target
  return id === (targetId ?? undefined) ? details : target
}

/** JSON with sorted keys (RFC 8785): one text for one value. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  let members = ''
  for (const key of Object.keys(value).sort()) members += `${members && ','}${JSON.stringify(key)}:${canonical(value[key])}`
  return `{${members}}`
}

/** The MACs of chains. */
export interface ChainMacs {
  /** Before the first event. */
  first(chain: string, startedAt: Date): Buffer
  /** Of when the system's chain began: no other chain tells of it. */
  anchor(startedAt: Date): Buffer
  next(place: Pick<Place, 'mac'>, event: { seq: number; hash: Buffer }): Buffer
}

/** Makes them under a key of their own. */
export const createChainMacs = (secrets: Secrets): ChainMacs => ({
  first: (chain, startedAt) => secrets.digest('audit-chain', `${chain}\0${Number(startedAt)}`),
  anchor: startedAt => secrets.digest('audit-anchor', String(Number(startedAt))),
  next: ({ mac }, event) => {
    const seq = Buffer.alloc(8)
    seq.writeBigUInt64BE(BigInt(event.seq))
    return secrets.digest('audit-chain', Buffer.concat([mac, seq, event.hash]))
  },
})

const json = (value: string | null): string => JSON.stringify(value)

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')
