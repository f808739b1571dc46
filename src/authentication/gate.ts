// Lets few through at once: hashing shares threads with signing, and ungated it starves every token (thirty-fold, measured).
import { Problem } from '../platform/errors.ts'

/** Runs work when a place is free. */
export type Gate = <Result>(work: () => Promise<Result>) => Promise<Result>

/** `places` run, `waiting` wait, one more is refused with `busy`. */
export const createGate = ({ places, waiting }: { places: number; waiting: number }): Gate => {
  const queue: (() => void)[] = []
  let running = 0
  const enter = async () => {
    if (running < places) {
      running += 1
      return
    }
    if (queue.length >= waiting) throw new Problem('busy', { retryAfterSeconds: 2 })
    await new Promise<void>(resolve => queue.push(resolve))
  }
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else running -= 1
  }
  return async work => {
    await enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
