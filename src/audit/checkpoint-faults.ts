// Holds checkpoints against the chain they tell of: those that are kept beside it, and one that was kept elsewhere.
import { type Database, statement } from '../platform/data/database.ts'
import { systemChain } from '../platform/data/event-chain.ts'
import { isEqualSecret } from '../platform/secrets.ts'
import type { ChainState } from './chain-reader.ts'
import { type CheckpointClaims, type CheckpointSigner, checkpointHash } from './checkpoint.ts'
import { faultOf } from './diagnosis.ts'
import { type Fault, maxFaults } from './fault.ts'

interface Row {
  readonly id: string
  readonly number: string
  readonly seq: string
  readonly hash: Buffer
  readonly created_at: Date
  readonly jws: string
  /** The hash of the event at `seq`, null where there is none. */
  readonly event_hash: Buffer | null
}

/** What the last checkpoint leaves for the next to be held against. */
interface Trail {
  readonly number: number
  readonly seq: number
  readonly jws?: string
  /** It is not ours, so nothing can be held against it. */
  readonly isForged?: boolean
}

/** Looks for faults. */
export interface CheckpointFaults {
  /** In the checkpoints of a chain, up to those of its state. */
  ofChain(chain: string, state: ChainState): Promise<Fault[]>
  /** By what a checkpoint says that was kept elsewhere. */
  ofGiven(given: { claims: CheckpointClaims; jws: string }): Promise<Fault[]>
}

const pageSize = 500
const eventOf = `SELECT e.hash FROM audit_events e WHERE coalesce(e.organization_id, '${systemChain}'::uuid) = k.chain AND e.seq > 0 AND e.seq = k.seq LIMIT 1`
const page = statement(
  'audit-checkpoints-page',
  `SELECT k.id, k.number, k.seq, k.hash, k.created_at, k.jws, (${eventOf}) AS event_hash
   FROM audit_checkpoints k WHERE k.chain = $1 AND k.number > $2 AND k.number <= $3 ORDER BY k.number LIMIT ${pageSize}`,
)
const held = statement(
  'audit-checkpoint-held',
  `SELECT (${eventOf}) AS event_hash, EXISTS (SELECT FROM audit_checkpoints c WHERE c.chain = k.chain AND c.number = k.number AND c.jws = $4) AS is_kept
   FROM (SELECT $1::uuid AS chain, $2::bigint AS number, $3::bigint AS seq) AS k`,
)

/** Makes it. */
export const createCheckpointFaults = ({ database, signer }: { database: Database; signer: CheckpointSigner }): CheckpointFaults => ({
  ofChain: async (chain, state) => {
    const faults: Fault[] = []
    let trail: Trail = { number: Number.MIN_SAFE_INTEGER, seq: 0 }
    for (let isMore = true; isMore && faults.length < maxFaults; ) {
      const rows = await database.run<Row>(page, [chain, trail.number, state.lastCheckpoint])
      for (const row of rows) {
        const signed = await signer.open(row.jws)
        const claims = signed && matching(signed, { chain, row })
        faults.push(...faultsOf(row, { claims, trail, state }))
        trail = { number: Number(row.number), seq: Number(row.seq), jws: row.jws, isForged: claims === undefined }
      }
      isMore = rows.length === pageSize
    }
    return [...faults, ...faultsOfNewest(chain, { trail, state, signer })]
  },
  ofGiven: async ({ claims, jws }) => {
    const chain = claims.organization_id ?? systemChain
    const [row] = await database.run<{ event_hash: Buffer | null; is_kept: boolean }>(held, [chain, claims.number, claims.seq, jws])
    const faults = row?.is_kept
      ? []
      : [missing('The given checkpoint is not among those kept: they were deleted or an older state was restored.', { to: claims.seq })]
    if (!row?.event_hash) return [...faults, faultOf('cut', { from: claims.seq }, 'The chain lacks the event at which the given checkpoint was made.')]
    if (row.event_hash.toString('hex') === claims.hash) return faults
    return [...faults, faultOf('rewritten', { from: 1, to: claims.seq }, 'The chain is another than when the given checkpoint was made.')]
  },
})

// What its row says is what was signed.
const matching = (claims: CheckpointClaims, { chain, row }: { chain: string; row: Row }): CheckpointClaims | undefined => {
  const isSame =
    claims.jti === row.id &&
    (claims.organization_id ?? systemChain) === chain &&
    claims.number === Number(row.number) &&
    claims.seq === Number(row.seq) &&
    claims.hash === row.hash.toString('hex') &&
    claims.time === (Number.isFinite(Number(row.created_at)) ? row.created_at.toISOString() : '')
  return isSame ? claims : undefined
}

const faultsOf = (row: Row, { claims, trail, state }: { claims: CheckpointClaims | undefined; trail: Trail; state: ChainState }): Fault[] => {
  const number = Number(row.number)
  const expected = Math.max(trail.number, 0) + 1
  const faults = number > expected ? [missing(numbersOf(expected, number - 1), { from: trail.seq + 1, to: Number(row.seq) })] : []
  if (!claims) return [...faults, forged(`Checkpoint ${number} is not as this server signed it.`, Number(row.seq))]
  const isNext = number === expected && (trail.isForged || claims.previous === (trail.jws === undefined ? null : checkpointHash(trail.jws)))
  if (number <= expected && !isNext) faults.push(forged(`Checkpoint ${number} does not follow the one before.`, claims.seq))
  if (claims.seq > Math.min(state.head?.seq ?? state.lastSeq, state.lastSeq))
    faults.push(faultOf('cut', { to: claims.seq }, `The chain ends before its checkpoint ${number}.`))
  else if (row.event_hash && !row.event_hash.equals(row.hash))
    faults.push(faultOf('rewritten', { from: trail.seq + 1, to: claims.seq }, `The chain is another than when checkpoint ${number} was signed.`))
  return faults
}

const faultsOfNewest = (chain: string, { trail, state: { head }, signer }: { trail: Trail; state: ChainState; signer: CheckpointSigner }): Fault[] => {
  if (!head) return []
  const number = Math.max(trail.number, 0)
  if (number < head.checkpointNumber) return [missing(numbersOf(number + 1, head.checkpointNumber), { from: trail.seq + 1 })]
  if (number > head.checkpointNumber) return [faultOf('cut', { to: trail.seq }, 'The head of the chain was set back before its newest checkpoint.')]
  if (trail.jws === undefined) return head.checkpointMac === null ? [] : [missing('The head tells of a checkpoint, and none is kept.', {})]
  if (trail.isForged) return []
  const isOurs = head.checkpointMac !== null && isEqualSecret(head.checkpointMac, signer.macOf(chain, { number, jws: trail.jws }))
  return isOurs ? [] : [forged(`The head does not tell of checkpoint ${number} as this server wrote it.`, trail.seq)]
}

const numbersOf = (from: number, to: number) => (from === to ? `Checkpoint ${from} is missing.` : `The checkpoints ${from} to ${to} are missing.`)

const missing = (message: string, { from, to }: { from?: number; to?: number }): Fault => ({ kind: 'deleted_checkpoint', from, to, message })

const forged = (message: string, to: number): Fault => ({ kind: 'forged_checkpoint', to, message })
