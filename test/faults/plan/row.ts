// What a row of the fault plan is, and what it tells.

/** One fault, by the name that it is asked for on the command line. */
export interface Row {
  readonly name: string
  readonly fault: string
  readonly done: string
  run(): Promise<RowResult>
}

/** What came of it. */
export interface RowResult {
  readonly requests: number
  readonly failures: number
  readonly failuresAgain: number
  /** What was acknowledged and is not there; of how many things that were looked at. */
  readonly lost: number
  readonly looked: number
  /** For how long after the end of the fault a request that was begun still failed; the longest where there were several. */
  readonly recoverySeconds: number
  readonly slowestSeconds: number
  /** What failed, by kind and answer. */
  readonly answers: Readonly<Record<string, number>>
  /** What more was seen, in a few words. */
  readonly seen: string
  /** What was to hold and did not. */
  readonly broken: readonly string[]
}

/** Collects what was to hold and did not. */
export function createClaims(): { holds(isTrue: boolean, claim: string): void; readonly broken: string[] } {
  const broken: string[] = []
  return {
    broken,
    holds: (isTrue, claim) => {
      if (!isTrue && !broken.includes(claim)) broken.push(claim)
    },
  }
}
