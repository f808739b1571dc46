// When an event that did not go through is tried again: the schedule of Standard Webhooks, about three days in all.

const [minute, hour] = [60, 3600]

/** Seconds from one try to the next. After the last of them an event is given up. */
export const retrySeconds: readonly number[] = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

const maxSeconds = 24 * hour

/**
 * Seconds until the try after so many that failed, or `undefined` where there is none. A receiver that asks for more patience (`Retry-After`) gets
 * up to a day; one that asks for less does not use up its tries sooner.
 */
export const secondsUntilRetry = (failures: number, retryAfterSeconds = 0): number | undefined => {
  const planned = retrySeconds[failures - 1]
  return planned === undefined ? undefined : Math.min(Math.max(planned, retryAfterSeconds), maxSeconds)
}

/** What `Retry-After` says in seconds (RFC 9110 §10.2.3: a number of them, or a time); `undefined` for what says nothing. */
export const retryAfterOf = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header)
  const at = / GMT$/.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now.getTime()) / 1000))
}
