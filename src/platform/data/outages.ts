// One line when PostgreSQL goes, one when it is back, however often it is tried between.
import type { DataLog } from './data-log.ts'

/** What hears of connections to one server. */
export interface Outages {
  /** A connection was made, or was not. */
  onTried(error: Error | undefined): void
  /** A connection that was made is over. */
  onOver(): void
  /** From now on outages are told: before, the start itself says what is wrong. */
  watch(): void
  /** Nothing is told any more. */
  leave(): void
}

/** Makes it. While any connection is left, one more that is not made is no outage: the server may have as many as it takes. */
export const createOutages = (log: DataLog): Outages => {
  let made = 0
  let isWatching = false
  let isOut = false
  return {
    onTried: error => {
      if (!error) {
        made += 1
        if (isOut) log.info({}, 'PostgreSQL is back.')
        isOut = false
        return
      }
      if (isOut || made > 0 || !isWatching) return
      isOut = true
      log.error({ err: error }, 'PostgreSQL is out of reach; what needs it fails until it is back.')
    },
    onOver: () => {
      made -= 1
    },
    watch: () => {
      isWatching = true
    },
    leave: () => {
      isWatching = false
      isOut = false
    },
  }
}
