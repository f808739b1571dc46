// Lists the checkpoints that are kept.
import type { Database } from '../platform/data/database.ts'
import { systemChain } from '../platform/data/event-chain.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'

/** A checkpoint as it is kept. */
export interface Checkpoint {
  readonly id: string
  readonly organizationId?: string
  readonly number: number
  readonly seq: number
  readonly hash: Buffer
  readonly createdAt: Date
  readonly jws: string
}

/** The list. */
export interface CheckpointList {
  /** Those of all chains, or of one organization. */
  list(filter: { organizationId?: string }, page: PageRequest): Promise<Found<Checkpoint>>
}

/** Makes it. */
export const createCheckpointList = ({ prisma: { auditCheckpoint } }: Database): CheckpointList => ({
  list: async ({ organizationId }, page) => {
    const where = { chain: organizationId }
    const [rows, total] = await Promise.all([auditCheckpoint.findMany(pageOf(where, page)), auditCheckpoint.count({ where })])
    return { rows: rows.map(toCheckpoint), total }
  },
})

interface Row {
  id: string
  chain: string
  number: bigint
  seq: bigint
  hash: Uint8Array
  createdAt: Date
  jws: string
}

const toCheckpoint = ({ id, chain, number, seq, hash, createdAt, jws }: Row): Checkpoint => ({
  id,
  organizationId: chain === systemChain ? undefined : chain,
  number: Number(number),
  seq: Number(seq),
  hash: Buffer.from(hash),
  createdAt,
  jws,
})
