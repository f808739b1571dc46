// Replays a chain: recomputes each event's hash from where the one before stands, and notes what does not fit.
import { type ChainMacs, leafOf, linkOf, type Place } from '../platform/data/event-chain.ts'
import type { ChainRow, Head } from './chain-reader.ts'
import { maxFaults } from './fault.ts'

/** Events that are unlike themselves, or missing. */
interface Plain {
  kind: 'edited' | 'inserted' | 'deleted'
  readonly from: number
  readonly to: number
}

/** An event that is sound and yet does not follow the one before; `from` and `to` are what is missing before it, or itself. */
interface Unlinked {
  readonly kind: 'unlinked'
  readonly from: number
  readonly to: number
  readonly seq: number
  readonly previous: Buffer
}

/** What does not fit. */
export type Finding = Plain | Unlinked

/** What came of a replay. */
export interface Replayed {
  readonly findings: readonly Finding[]
  /** Where the events themselves lead. */
  readonly place: Place
  /** How they end beside the head: `apart` where the number is the head's and the hash is not. A replay that was full did not look. */
  readonly end: 'at head' | 'before head' | 'apart'
}

/** Replays events one by one, in the order of their places. */
export interface Replay {
  readonly count: number
  /** There is more amiss than anybody wants told. */
  isFull(): boolean
  take(row: ChainRow): void
  end(head: Head): Replayed
}

/** Which of the events before it one follows: the last, an older one while those after that are unsound, or none of them. */
type Link = 'last' | 'older' | 'none'

/** How many hashes an event may follow where those before it are unsound. */
const maxCandidates = 8

/** Makes a replay from a place that is trusted. */
export const createReplay = ({ from, macs }: { from: Place; macs: ChainMacs }): Replay => {
  const findings: Finding[] = []
  let place = from
  let count = 0
  // The hashes that the next event may follow: the last one's own first, then those of before it while it is unsound.
  let own: readonly Buffer[] = [from.hash]
  let older: readonly Buffer[] = []
  let unsound: Plain | undefined

  const linkTo = (previous: Buffer): Link => {
    if (own.some(hash => hash.equals(previous))) return 'last'
    return older.some(hash => hash.equals(previous)) ? 'older' : 'none'
  }

  /** What follows says of an unsound one before it whether it belongs here. */
  const settle = (link: Link): void => {
    if (unsound && link !== 'none') unsound.kind = link === 'last' ? 'edited' : 'inserted'
  }

  const note = (row: ChainRow, { isSound, isLinked }: { isSound: boolean; isLinked: boolean }) => {
    const missing = { from: place.seq + 1, to: row.seq - 1 }
    const isGap = missing.to >= missing.from
    unsound = undefined
    if (isSound && isLinked && !isGap) return
    if (isSound && !isLinked) {
      findings.push({ kind: 'unlinked', ...(isGap ? missing : { from: row.seq, to: row.seq }), seq: row.seq, previous: row.previous })
      return
    }
    if (isGap) findings.push({ kind: 'deleted', ...missing })
    if (isSound) return
    unsound = { kind: isLinked ? 'edited' : 'inserted', from: row.seq, to: row.seq }
    findings.push(unsound)
  }

  return {
    get count() {
      return count
    },
    isFull: () => findings.length >= maxFaults,
    take: row => {
      count += 1
      const computed = linkOf(row.previous, leafOf(row))
      const isSound = computed.equals(row.hash)
      const link = linkTo(row.previous)
      settle(link)
      note(row, { isSound, isLinked: link !== 'none' })
      older = isSound ? [] : [...own, ...older].slice(0, maxCandidates)
      own = isSound ? [row.hash] : [row.hash, computed]
      place = { seq: row.seq, hash: row.hash, mac: macs.next(place, row) }
    },
    end: head => {
      const isFull = findings.length >= maxFaults
      const link = !isFull && place.seq === head.seq ? linkTo(head.hash) : 'none'
      settle(link)
      const isAtHead = isFull || link !== 'none'
      return { findings, place, end: isAtHead ? 'at head' : place.seq < head.seq ? 'before head' : 'apart' }
    },
  }
}
