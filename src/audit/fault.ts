// The words of verification: what can be wrong with the log.

/** The kinds of faults. */
export const faultKinds = ['edited', 'deleted', 'reordered', 'inserted', 'cut', 'rewritten', 'forged_checkpoint', 'deleted_checkpoint'] as const

/**
 * `edited`: an event does not say what it said. `deleted`: events are gone from between others. `reordered`: an event stands elsewhere.
 * `inserted`: an event that no change wrote. `cut`: the end of a chain, its head or its beginning is gone. `rewritten`: the chain was computed anew.
 * `forged_checkpoint`: not as this server signed it. `deleted_checkpoint`: one is gone.
 */
export type FaultKind = (typeof faultKinds)[number]

/** Something wrong in a chain, with the places it spans. */
export interface Fault {
  readonly kind: FaultKind
  readonly from?: number
  readonly to?: number
  readonly message: string
}

/** More are not told: whoever has these must look for themselves. */
export const maxFaults = 100
