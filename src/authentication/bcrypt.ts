// Verifies bcrypt hashes in a thread of its own, for its JavaScript would hold up everybody else.
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import type { VerifyHash } from './foreign-hashes.ts'

interface Asked {
  readonly resolve: (isMatch: boolean) => void
  readonly reject: (reason: unknown) => void
}

const answer = z.object({ id: z.int(), isMatch: z.boolean() })

/** Makes it. The thread starts with the first question and keeps no process alive; one that is too slow is ended, with `busy` to all who wait. */
export const createBcrypt = ({ timeoutMilliseconds = 10_000 } = {}): VerifyHash => {
  const waiting = new Map<number, Asked>()
  let worker: Worker | undefined
  let last = 0

  const stop = (reason: unknown) => {
    void worker?.terminate()
    worker = undefined
    for (const { reject } of waiting.values()) reject(reason)
    waiting.clear()
  }
  const start = () => {
    const started = new Worker(new URL('./bcrypt-worker.ts', import.meta.url), { env: {} })
    started.on('message', message => {
      const { id, isMatch } = answer.parse(message)
      waiting.get(id)?.resolve(isMatch)
    })
    started.on('error', error => {
      if (worker === started) stop(error)
    })
    return started
  }

  return async (password, hash) => {
    worker ??= start()
    const asked = worker
    last += 1
    const id = last
    const timer = setTimeout(() => stop(new Problem('busy', { retryAfterSeconds: 2 })), timeoutMilliseconds)
    asked.ref()
    try {
      return await new Promise<boolean>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        asked.postMessage({ id, password, hash })
      })
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
      if (waiting.size === 0) asked.unref()
    }
  }
}
