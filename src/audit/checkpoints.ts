// Makes checkpoints of the chains that moved.
import { type Database, isUnavailable, statement } from '../platform/data/database.ts'
import { type ChainMacs, genesisOf, type Place, systemChain } from '../platform/data/event-chain.ts'
import type { Log } from '../platform/log.ts'
import type { ChainReader, Head } from './chain-reader.ts'
import { type CheckpointSigner, checkpointHash } from './checkpoint.ts'
import { diagnose } from './diagnosis.ts'
import type { Fault } from './fault.ts'
import { createReplay } from './replay.ts'

/** Makes checkpoints. */
export interface Checkpoints {
  /**
   * Makes one of every chain that moved a minute or a thousand events ago. What came since the last one is replayed first; an unsound
   * chain gets none, is told in the log and let be for ten minutes, as is one that cannot be read. Answers how many were made. Safe in any
   * number of processes.
   */
  make(): Promise<number>
}

interface Needs {
  readonly database: Database
  readonly reader: ChainReader
  readonly signer: CheckpointSigner
  readonly macs: ChainMacs
  readonly log: Log
  readonly now: () => Date
  readonly newUuid: () => string
}

const everyMilliseconds = 60_000
const everyEvents = 1000
const letBeMilliseconds = 600_000

const due = statement(
  'audit-checkpoints-due',
  `SELECT c.id FROM audit_chains c LEFT JOIN audit_checkpoints k ON k.chain = c.id AND k.number = c.checkpoint_number
   WHERE k.number IS NULL OR c.seq >= k.seq + ${everyEvents} OR (c.seq <> k.seq AND k.created_at <= $1)`,
)
const last = statement('audit-checkpoint', 'SELECT jws FROM audit_checkpoints WHERE chain = $1 AND number = $2')
// Of many who sign the same number one is kept, and only while the head still says that this is the next.
const keep = statement(
  'audit-checkpoint-keep',
  `WITH kept AS (
     INSERT INTO audit_checkpoints (id, chain, number, seq, hash, created_at, jws)
     SELECT $1, id, $3::bigint, $4, $5, $6, $7 FROM audit_chains WHERE id = $2 AND checkpoint_number = $3::bigint - 1
     ON CONFLICT (chain, number) DO NOTHING RETURNING number)
   UPDATE audit_chains SET checkpoint_number = $3::bigint, checkpoint_mac = $8 WHERE id = $2 AND EXISTS (SELECT FROM kept) RETURNING id`,
)

/** Makes the service. */
export const createCheckpoints = ({ database, reader, signer, macs, log, now, newUuid }: Needs): Checkpoints => {
  /** Until when chains are let be. */
  const letBe = new Map<string, number>()

  /** The newest checkpoint and the place it holds, or the beginning; `undefined` where it is not what we made. */
  const findLast = async (chain: string, head: Head): Promise<{ jws?: string; from: Place } | undefined> => {
    if (head.checkpointNumber === 0) return { from: { seq: 0, hash: genesisOf(chain), mac: macs.first(chain, head.startedAt) } }
    const [row] = await database.run<{ jws: string }>(last, [chain, head.checkpointNumber])
    const claims = row && (await signer.open(row.jws))
    if (!row || !claims || claims.number !== head.checkpointNumber || (claims.organization_id ?? systemChain) !== chain) return undefined
    const { seq, hash, place } = claims
    return { jws: row.jws, from: { seq, hash: Buffer.from(hash, 'hex'), mac: signer.unseal(chain, { seq, sealed: place }) } }
  }

  const faultsSince = async (chain: string, { head, from }: { head: Head; from: Place }): Promise<readonly Fault[]> => {
    const replay = createReplay({ from, macs })
    for await (const rows of reader.rows(chain, { after: from.seq, upTo: head.seq })) {
      for (const row of rows) replay.take(row)
      if (replay.isFull()) break
    }
    return diagnose(chain, { replayed: replay.end(head), head, reader })
  }

  const makeOne = async (chain: string): Promise<boolean> => {
    const { head } = await reader.state(chain)
    if (!head) return false
    const before = await findLast(chain, head)
    const faults = before && (await faultsSince(chain, { head, from: before.from }))
    if (!before || !faults || faults.length > 0) {
      letBe.set(chain, Number(now()) + letBeMilliseconds)
      const altered = { chain, faults: faults?.length, first: faults?.[0] }
      log.error(altered, 'The audit log was altered: no checkpoint of this chain is signed. Run npm run audit:verify.')
      return false
    }
    if (before.from.seq >= head.seq) return false
    const createdAt = now()
    const number = head.checkpointNumber + 1
    const claims = {
      jti: newUuid(),
      organization_id: chain === systemChain ? null : chain,
      number,
      seq: head.seq,
      hash: head.hash.toString('hex'),
      time: createdAt.toISOString(),
      previous: before.jws === undefined ? null : checkpointHash(before.jws),
      place: signer.seal(chain, head),
    }
    const jws = await signer.sign(claims)
    const kept = await database.run(keep, [claims.jti, chain, number, head.seq, head.hash, createdAt, jws, signer.macOf(chain, { number, jws })])
    return kept.length > 0
  }

  /** What goes wrong in one chain does not keep the others from theirs. */
  const tryOne = async (chain: string): Promise<boolean> => {
    try {
      return await makeOne(chain)
    } catch (error) {
      if (isUnavailable(error)) throw error
      letBe.set(chain, Number(now()) + letBeMilliseconds)
      log.error({ err: error, chain }, 'No checkpoint of this chain of the audit log could be made.')
      return false
    }
  }

  const isLetBe = (chain: string): boolean => {
    const until = letBe.get(chain)
    if (until === undefined) return false
    if (Number(now()) < until) return true
    letBe.delete(chain)
    return false
  }

  return {
    make: async () => {
      const chains = await database.run<{ id: string }>(due, [new Date(now().getTime() - everyMilliseconds)])
      let made = 0
      for (const { id } of chains) if (!isLetBe(id) && (await tryOne(id))) made += 1
      return made
    },
  }
}
