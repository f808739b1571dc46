// Asks what scrapes and probes want to know of other systems: seldom, one question at a time, and with patience that ends.

/** What was found out, and whether it could be. */
export interface Sampled<Value> {
  /** Asks again where the last answer is old; never throws. */
  refresh(): Promise<void>
  /** The last answer; `undefined` where the last question found none in time. */
  value(): Value | undefined
}

const freshMilliseconds = 5000
const patienceMilliseconds = 1000

/** Makes it. While a question is under way nobody asks again, however long it takes. */
export const createSampled = <Value>(ask: () => Promise<Value>, { freshFor = freshMilliseconds, patience = patienceMilliseconds } = {}): Sampled<Value> => {
  let value: Value | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined
  const question = async () => {
    askedAt = performance.now()
    try {
      value = await ask()
    } catch {
      value = undefined // that there is no answer is what is told; the outage is logged where it happens
    } finally {
      asking = undefined
    }
  }
  return {
    refresh: async () => {
      if (performance.now() - askedAt >= freshFor) asking ??= question()
      if (!asking) return
      let timer: NodeJS.Timeout | undefined
      const isLate = await Promise.race([asking, new Promise(resolve => (timer = setTimeout(resolve, patience, true)))])
      clearTimeout(timer)
      if (isLate) value = undefined
    },
    value: () => value,
  }
}
