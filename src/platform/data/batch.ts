// Makes one run of the calls that all requests make in one turn of the event loop, and while the run before is under way: one statement costs
// as much as ten calls in it. A run that takes long has another beside it, so that nobody waits for what somebody else's rows wait for.
import { currentContext, runFor, type WorkContext } from '../context.ts'
import { keepDeadline, liftDeadline } from '../deadline.ts'
import { isHeldByOther, isUnavailable } from './failures.ts'

interface Call<Item, Result> {
  readonly item: Item
  /** For which it is asked. */
  readonly context: WorkContext | undefined
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface Options<Item, Result> {
  /** Answers a result for each item, in order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Items of one key go into different statements: two writes of a row in one are an error. */
  readonly keyOf?: (item: Item) => string
  /** Whether what it does stays: then no call is given up afterwards (deadline.ts). */
  readonly isChange?: boolean
  readonly maxItems?: number
  /** After so long a run takes long. */
  readonly patienceMilliseconds?: number
}

const mostRunning = 2

/**
 * Makes a function whose calls are gathered. A call resolves when its own row is committed. When a statement of several
 * fails, each item is tried alone, so that one bad row, or one that somebody else holds, is nobody else's error; but not where the
 * database itself is out of reach or of time, because everybody would wait for everybody else's time to run out.
 */
export const createBatch = <Item, Result>({ run, keyOf, isChange = false, maxItems = 128, patienceMilliseconds = 3 }: Options<Item, Result>) => {
  let waiting: Call<Item, Result>[] = []
  let running = 0
  /** When the last run began, as `performance.now()` told it. */
  let begunAt = 0
  let turn: NodeJS.Immediate | undefined
  let patience: NodeJS.Timeout | undefined

  const schedule = () => {
    if (turn || running >= mostRunning || waiting.length === 0) return
    const isFree = running === 0 || waiting.length >= maxItems
    const milliseconds = isFree ? 0 : patienceMilliseconds - (performance.now() - begunAt)
    if (milliseconds > 0) {
      patience ??= setTimeout(flush, milliseconds)
      return
    }
    clearTimeout(patience)
    turn = setImmediate(flush)
  }

  const take = (): Call<Item, Result>[] => {
    if (!keyOf) {
      const calls = waiting.slice(0, maxItems)
      waiting = waiting.slice(maxItems)
      return calls
    }
    const seen = new Set<string>()
    const calls: Call<Item, Result>[] = []
    const left: Call<Item, Result>[] = []
    for (const call of waiting) {
      const key = keyOf(call.item)
      if (calls.length < maxItems && !seen.has(key)) calls.push(call)
      else left.push(call)
      seen.add(key)
    }
    waiting = left
    return calls
  }

  const flush = () => {
    turn = undefined
    patience = undefined
    const calls = take()
    if (calls.length === 0) return
    running += 1
    begunAt = performance.now()
    void settle(calls).finally(() => {
      running -= 1
      schedule()
    })
    schedule()
  }

  const settle = async (calls: readonly Call<Item, Result>[]) => {
    try {
      // One statement for many is told as the first one's, and waits for nobody's time.
      const results = await runFor({ ...calls[0]?.context, deadline: undefined }, () => run(calls.map(call => call.item)))
      for (const [index, call] of calls.entries()) call.resolve(results[index] as Result)
    } catch (error) {
      const isEverybodys = calls.length === 1 || (isUnavailable(error) && !isHeldByOther(error))
      if (isEverybodys) for (const call of calls) call.reject(error)
      else await Promise.all(calls.map(call => settle([call])))
    }
  }

  return (item: Item): Promise<Result> =>
    new Promise((resolve, reject) => {
      keepDeadline()
      if (isChange) liftDeadline()
      waiting.push({ item, context: currentContext(), resolve, reject })
      schedule()
    })
}
