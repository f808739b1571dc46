// Locks the heads of chains and starts those that are new.
//
// That a chain began is told by an event in the system's chain, and that the system's began by its anchor, a row elsewhere: a chain
// that was wiped and begun anew has two beginnings. Heads are locked in the order of their ids, the system's first, so that no two changes wait for
// each other: where one is missing nothing is locked before the system's is.

import type { TransactionClient } from './database.ts'
import { type ChainMacs, genesisOf, type Place, systemChain } from './event-chain.ts'

/** Where the chains stand, in the order of their ids, and which of them began just now; then the system's is among them. */
export interface Locked {
  readonly places: ReadonlyMap<string, Place>
  readonly started: readonly string[]
}

/** Locks the heads of chains until the transaction ends; those that begin do so at the given time. */
export type LockHeads = (tx: TransactionClient, wanted: { chains: readonly string[]; at: Date }) => Promise<Locked>

/** Makes it. */
export const createLockHeads = (macs: ChainMacs): LockHeads => {
  const start = async (tx: TransactionClient, { chain, at }: { chain: string; at: Date }): Promise<boolean> => {
    const made = await tx.$executeRaw`
      INSERT INTO audit_chains (id, started_at, seq, hash, mac)
      VALUES (${chain}::uuid, ${at}::timestamptz, 0, ${genesisOf(chain)}, ${macs.first(chain, at)}) ON CONFLICT (id) DO NOTHING`
    return made > 0
  }

  const startMissing = async (tx: TransactionClient, { chains, at }: { chains: readonly string[]; at: Date }): Promise<string[]> => {
    // An anchor that is there stays: it tells of the chain that was.
    if (await start(tx, { chain: systemChain, at }))
      await tx.$executeRaw`INSERT INTO audit_anchors (id, started_at, mac) VALUES (1, ${at}::timestamptz, ${macs.anchor(at)}) ON CONFLICT (id) DO NOTHING`
    await tx.$executeRaw`SELECT FROM audit_chains WHERE id = ${systemChain}::uuid FOR NO KEY UPDATE`
    const started: string[] = []
    for (const chain of chains) if (chain !== systemChain && (await start(tx, { chain, at }))) started.push(chain)
    return started
  }

  return async (tx, { chains, at }) => {
    const places = await lock(tx, chains)
    if (places.size === chains.length) return { places, started: [] }
    const started = await startMissing(tx, { chains, at })
    return { places: await lock(tx, [...new Set([systemChain, ...chains])]), started }
  }
}

interface Head {
  readonly id: string
  readonly seq: bigint
  readonly hash: Uint8Array
  readonly mac: Uint8Array
}

/** Locks all of them, or none where one is missing. */
const lock = async (tx: TransactionClient, chains: readonly string[]): Promise<Map<string, Place>> => {
  const heads = await tx.$queryRaw<Head[]>`
    SELECT id, seq, hash, mac FROM audit_chains
    WHERE id = ANY(${chains}::uuid[]) AND (SELECT count(*) FROM audit_chains WHERE id = ANY(${chains}::uuid[])) = ${chains.length}::bigint
    ORDER BY id FOR NO KEY UPDATE`
  return new Map(heads.map(({ id, seq, hash, mac }) => [id, { seq: Number(seq), hash: Buffer.from(hash), mac: Buffer.from(mac) }]))
}
