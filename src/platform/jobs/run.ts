// Does the jobs: claims what is due, a few at once, and puts back what failed, later each time.
import type { Log } from '../log.ts'
import { Hopeless, type JobHandler } from './job.ts'
import type { Claimed, Queue } from './queue.ts'

const lookMilliseconds = 1000
const fewTogether = 4
const maxDelaySeconds = 3600
// Below the time for which a job is claimed: whoever takes longer has failed before another begins the same.
const deadlineMilliseconds = 25_000

interface Needs {
  readonly queue: Queue
  readonly handlers: readonly JobHandler[]
  readonly log: Log
  /** How many are done at once; four unless told. */
  readonly together?: number
}

/** Starts doing jobs. Answers what stops it, which waits for those under way. */
export const startJobs = ({ queue, handlers, log, together = fewTogether }: Needs): (() => Promise<void>) => {
  const byKind = new Map(handlers.map(handler => [handler.kind.name, handler]))
  const kinds = [...byKind.keys()]
  let isStopping = false
  let isWanted = false
  let turn: Promise<void> | undefined

  const work = async () => {
    do {
      isWanted = false
      const claimed = await queue.claim(kinds, together)
      const attempts = await Promise.allSettled(claimed.map(job => attempt(job, { queue, handler: byKind.get(job.kind), log })))
      for (const { reason } of attempts.filter(one => one.status === 'rejected'))
        log.warn({ err: reason }, 'a job could not be put back; it is tried again later')
      if (claimed.length === together) isWanted = true
    } while (isWanted && !isStopping)
  }
  const look = () => {
    isWanted = true
    if (turn !== undefined || isStopping) return
    turn = work()
      .catch(error => log.warn({ err: error }, 'looking for jobs failed and will be tried again'))
      .finally(() => {
        turn = undefined
      })
  }
  const timer = setInterval(look, lookMilliseconds)
  const forget = queue.onAdded(look)
  look()
  return async () => {
    isStopping = true
    clearInterval(timer)
    forget()
    await turn
  }
}

const attempt = async (job: Claimed, { queue, handler, log }: { queue: Queue; handler: JobHandler | undefined; log: Log }) => {
  if (!handler) return
  try {
    // Whose process died with it each time has never failed, and is given up too.
    if (job.attempt > handler.kind.maxAttempts) throw new Hopeless('the process ended in each try')
    await inTime(handler.handle(queue.open(job), { id: job.id, attempt: job.attempt }))
    await queue.finish(job)
  } catch (error) {
    const isHopeless = error instanceof Hopeless || job.attempt >= handler.kind.maxAttempts
    log.warn({ err: error, job: job.id, kind: job.kind, attempt: job.attempt }, isHopeless ? 'a job was given up' : 'a job failed and will be tried again')
    await queue.postpone(job, { reason: String(error), seconds: isHopeless ? undefined : delayOf(job.attempt) })
  }
}

// 5 s, 10 s, 20 s … an hour.
const delayOf = (attempt: number) => Math.min(5 * 2 ** (attempt - 1), maxDelaySeconds)

const inTime = async (work: Promise<void>): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the job took too long')), deadlineMilliseconds)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
