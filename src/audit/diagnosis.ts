// Tells what happened to a chain from what its replay found.
import { genesisOf } from '../platform/data/event-chain.ts'
import type { ChainReader, Head } from './chain-reader.ts'
import type { Fault, FaultKind } from './fault.ts'
import type { Finding, Replayed } from './replay.ts'

/** Where the event stands that an unlinked one follows, by hash in hex; none where nothing has that hash. */
type Seqs = ReadonlyMap<string, number>

const sentences: Readonly<Record<Exclude<FaultKind, 'forged_checkpoint' | 'deleted_checkpoint'>, string>> = {
  edited: 'What the event says is not what was hashed when it was written.',
  deleted: 'Events are missing here.',
  reordered: 'The event does not stand where it was written.',
  inserted: 'The event was written by no change.',
  cut: 'The end of the chain is missing.',
  rewritten: 'The chain is consistent, but this server did not write it so: it was cut or computed anew.',
}

/** Makes a fault with the sentence of its kind. */
export const faultOf = (kind: keyof typeof sentences, range: { from?: number; to?: number } = {}, message: string = sentences[kind]): Fault => ({
  kind,
  ...range,
  message,
})

/** The faults of a replayed chain, in order; where the head differs in nothing but its MAC, the whole chain is in doubt. */
export const diagnose = async (chain: string, { replayed, head, reader }: { replayed: Replayed; head: Head; reader: ChainReader }): Promise<Fault[]> => {
  const { findings, place, end } = replayed
  const wanted = new Set(findings.flatMap(finding => (finding.kind === 'unlinked' ? [finding.previous.toString('hex')] : [])))
  const seqs = wanted.size > 0 ? await reader.seqsOf(chain, wanted) : new Map<string, number>()
  const genesis = genesisOf(chain).toString('hex')
  const faults = merge(resolve(findings, new Map([[genesis, 0], ...seqs]))).map(({ kind, from, to }) => faultOf(kind, { from, to }))
  if (end === 'before head') return [...faults, faultOf('cut', { from: place.seq + 1, to: head.seq })]
  if (faults.length === 0 && (end === 'apart' || !place.mac.equals(head.mac))) return [faultOf('rewritten', { from: 1, to: head.seq })]
  return faults
}

interface Resolved {
  readonly kind: 'edited' | 'inserted' | 'deleted' | 'reordered'
  readonly from: number
  readonly to: number
}

// An unlinked event follows one that is gone, or one that stands elsewhere. Where that one stands before, and what lies between
// follows it without a break too, the ones between were put there.
const resolve = (findings: readonly Finding[], seqs: Seqs): Resolved[] => {
  const resolved: Resolved[] = []
  let lastUnlinked = 0
  for (const finding of findings) {
    if (finding.kind !== 'unlinked') {
      resolved.push({ kind: finding.kind, from: finding.from, to: finding.to })
      continue
    }
    const { seq, from, to } = finding
    const follows = seqs.get(finding.previous.toString('hex'))
    if (follows === undefined) resolved.push({ kind: 'deleted', from, to })
    else if (follows < seq - 1 && lastUnlinked <= follows) resolved.push({ kind: 'inserted', from: follows + 1, to: seq - 1 })
    else resolved.push({ kind: 'reordered', from: seq, to: seq })
    lastUnlinked = seq
  }
  return resolved
}

const merge = (found: readonly Resolved[]): Resolved[] => {
  const merged: Resolved[] = []
  for (const one of found) {
    const last = merged.at(-1)
    if (last?.kind === one.kind && one.from <= last.to + 1) merged.splice(-1, 1, { ...last, to: Math.max(last.to, one.to) })
    else merged.push(one)
  }
  return merged
}
