// Holds the beginning of a chain against what tells of it elsewhere: an event in the system's chain, and for that one its anchor.
import { type ChainMacs, systemChain } from '../platform/data/event-chain.ts'
import { isEqualSecret } from '../platform/secrets.ts'
import type { ChainState } from './chain-reader.ts'
import { faultOf } from './diagnosis.ts'
import type { Fault } from './fault.ts'

/** Looks for faults in the beginning of a chain. */
export const beginningFaults = (chain: string, { state, macs }: { state: ChainState; macs: ChainMacs }): readonly Fault[] =>
  chain === systemChain ? systemFaults(state, macs) : faultsOf(state)

const systemFaults = ({ head, lastSeq, lastCheckpoint, anchor }: ChainState, macs: ChainMacs): readonly Fault[] => {
  if (!head) return lastSeq > 0 || lastCheckpoint > 0 || anchor ? [headless] : []
  if (!anchor) return [cut('The anchor of the chain is missing.')]
  // A time that is none has no MAC.
  const isOurs = Number.isFinite(Number(anchor.startedAt)) && isEqualSecret(anchor.mac, macs.anchor(anchor.startedAt))
  if (!isOurs) return [cut('The anchor of the chain is not as this server wrote it.')]
  return Number(anchor.startedAt) === Number(head.startedAt) ? [] : [begunAnew]
}

const faultsOf = ({ head, lastSeq, lastCheckpoint, starts }: ChainState): readonly Fault[] => {
  if (!head) return lastSeq > 0 || lastCheckpoint > 0 || starts.length > 0 ? [headless] : []
  if (starts.length === 0) return [cut("The system's chain lacks the event that tells when this one began.")]
  const isSame = starts.length === 1 && Number(new Date(starts[0] ?? '')) === Number(head.startedAt)
  return isSame ? [] : [begunAnew]
}

const cut = (message: string): Fault => faultOf('cut', { from: 1 }, message)

const headless = cut('The head of the chain is missing.')

const begunAnew = cut('The chain began before its head says: it was begun anew.')
