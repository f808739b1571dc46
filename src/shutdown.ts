// How a server stops without a request that fails: it says so, goes on for a moment, takes nobody new, and finishes what it has.
import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** From the signal until nobody is served, unless the grace is longer than half of it. */
const wholeMilliseconds = 10_000
const leastFinishingMilliseconds = 5000
const sweepMilliseconds = 50
const taskMilliseconds = 8000

/** A stop that has not begun. */
export interface Shutdown {
  /** Whether it has begun: then the process is no longer ready. */
  isStopping(): boolean
  /** Watches over the server's answers, to be called before it listens. */
  guard(server: Server): void
  /** Stops the server: it serves on for the grace, then finishes what is under way, and cuts off what takes longer than it has. */
  drain(): Promise<void>
}

/** Makes one. To drain takes at most ten seconds, or the grace and five; what the process has open is closed after it. */
export const createShutdown = ({ graceSeconds }: { readonly graceSeconds: number }): Shutdown => {
  const underWay = new Set<ServerResponse>()
  let server: Server | undefined
  let isStopping = false
  return {
    isStopping: () => isStopping,
    guard: guarded => {
      server = guarded
      guarded.prependListener('request', (_request, response: ServerResponse) => {
        underWay.add(response)
        response.once('close', () => underWay.delete(response))
        if (isStopping) askToLeave(response)
      })
    },
    drain: async () => {
      isStopping = true
      for (const response of underWay) askToLeave(response)
      if (!server?.listening) return
      const graceMilliseconds = graceSeconds * 1000
      await sleep(graceMilliseconds)
      await finish(server, Math.max(wholeMilliseconds - graceMilliseconds, leastFinishingMilliseconds))
    },
  }
}

/**
 * Stops what runs beside requests; a turn that takes longer than there is time for, or cannot be ended, is left, for the next process
 * begins it again. Gives why some could not.
 */
export const stopTasksInTime = async (stops: readonly (() => Promise<unknown>)[], milliseconds = taskMilliseconds): Promise<readonly unknown[]> => {
  const failures: unknown[] = []
  const stopped = Promise.all(stops.map(stop => stop().catch(error => failures.push(error))))
  await Promise.race([stopped, sleep(milliseconds)])
  return failures
}

// RFC 9112 §9.6: whoever keeps the connection open is told with the answer not to use it again, so nobody asks into a closing door.
const askToLeave = (response: ServerResponse) => {
  if (!response.headersSent) response.setHeader('Connection', 'close')
}

const finish = async (server: Server, milliseconds: number) => {
  const closed = once(server, 'close')
  server.close()
  const sweep = setInterval(() => server.closeIdleConnections(), sweepMilliseconds)
  const deadline = setTimeout(() => server.closeAllConnections(), milliseconds)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
}
