// Verifies bcrypt hashes in a thread of its own, for its JavaScript would hold up everybody else.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { VerifyHash } from './foreign-hashes.ts'
import { createGate } from './gate.ts'

const answer = z.object({ isMatch: z.boolean() })

/**
 * Makes it. The thread starts with the first question and keeps no process alive. Questions wait their turn, as many as are let in
 * here; one that is too slow once its turn has come is ended with `busy`.
 */
export const createBcrypt = ({ timeoutMilliseconds = 10_000 } = {}): VerifyHash => {
  const inTurn = createGate({ places: 1, waiting: Number.POSITIVE_INFINITY })
  let idle: Worker | undefined

  return (password, hash) =>
    inTurn(async () => {
      const worker = idle ?? new Worker(new URL('./bcrypt-worker.ts', import.meta.url), { env: {} })
      idle = undefined
      try {
        worker.ref()
        worker.postMessage({ password, hash })
        const [message] = await once(worker, 'message', { signal: AbortSignal.timeout(timeoutMilliseconds) })
        const { isMatch } = answer.parse(message)
        worker.unref()
        idle = worker
        return isMatch
      } catch (error) {
        void worker.terminate()
        throw error instanceof Error && error.name === 'AbortError' ? new Problem('busy', { cause: error, retryAfterSeconds: 2 }) : error
      }
    })
}
