// A process of the cluster, as whoever keeps it running sees it.
import type { Worker } from 'node:cluster'
import type { Log } from './platform/log.ts'
import type { Ending, Supervised } from './supervisor.ts'

/** Follows a process that was forked. `graceSeconds` is how long it serves on when it is asked to stop, by the settings it was started with. */
export const supervised = (worker: Worker, { graceSeconds, log }: { readonly graceSeconds: number; readonly log: Log }): Supervised => {
  const { pid } = worker.process
  const { promise: ended, resolve: end } = Promise.withResolvers<Ending>()
  worker.once('exit', (code, signal) => end({ code, signal }))
  worker.on('error', error => {
    log.warn({ err: error, pid }, 'A server process cannot be reached.')
    // What could not be spawned (EAGAIN, EMFILE, ENOENT) never exits: Node tells of it by this alone.
    if (pid === undefined) end({ code: null, signal: null, error })
  })
  return {
    pid,
    graceSeconds,
    listening: new Promise(resolve => worker.once('listening', () => resolve())),
    ended,
    signal: name => worker.process.kill(name),
  }
}
