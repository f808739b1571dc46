// Lets few through at once: hashing shares threads with signing, and ungated it starves every token (thirty-fold, measured).
import { Problem } from '../platform/errors.ts'

/** How a gate fares. */
export interface GateState {
  readonly running: number
  readonly waiting: number
  /** How many were refused so far. */
  readonly refused: number
}

/** Runs work when a place is free. */
export interface Gate {
  <Result>(work: () => Promise<Result>): Promise<Result>
  state(): GateState
}

/** `places` run, `waiting` wait, one more is refused with `busy`. */
export const createGate = ({ places, waiting }: { places: number; waiting: number }): Gate => {
  const queue: (() => void)[] = []
  let running = 0
  let refused = 0
  const enter = async () => {
    if (running < places) {
      running += 1
      return
    }
    if (queue.length >= waiting) {
      refused += 1
      throw new Problem('busy', { retryAfterSeconds: 2 })
    }
    await new Promise<void>(resolve => queue.push(resolve))
  }
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else running -= 1
  }
  const pass = async <Result>(work: () => Promise<Result>) => {
    await enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
  return Object.assign(pass, { state: () => ({ running, waiting: queue.length, refused }) })
}
