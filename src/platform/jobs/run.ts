// Does the jobs: claims what is due, a few at once, and puts back what failed, later each time.
import { setTimeout as sleep } from 'node:timers/promises'
import { runFor } from '../context.ts'
import type { Log } from '../log.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { Hopeless, type JobHandler } from './job.ts'
import type { Claimed, Queue } from './queue.ts'

const lookMilliseconds = 1000
const fewTogether = 4
const maxDelaySeconds = 3600
// Below the time for which a job is claimed: whoever takes longer has failed before another begins the same.
const deadlineMilliseconds = 25_000
// Of a process that ends; what it was about to do is begun again by another, and not only when the claim has run out.
const longestStopMilliseconds = 5000

interface Needs {
  readonly queue: Queue
  readonly handlers: readonly JobHandler[]
  readonly log: Log
  /** How many are done at once; four unless told. */
  readonly together?: number
  /** For how long a stop waits for what is under way; five seconds unless told. */
  readonly patienceMilliseconds?: number
  readonly tracing?: Tracing | undefined
  /** Told of each try. */
  readonly onTried?: ((tried: Tried) => void) | undefined
}

/** A try of a job that is over. */
export interface Tried {
  readonly kind: string
  readonly result: 'done' | 'failed' | 'given_up'
  readonly seconds: number
}

/** Starts doing jobs. Answers what stops it, which waits for those under way, and hands back the ones that take too long. */
export const startJobs = ({
  queue,
  handlers,
  log,
  together = fewTogether,
  patienceMilliseconds = longestStopMilliseconds,
  tracing,
  onTried,
}: Needs): (() => Promise<void>) => {
  const byKind = new Map(handlers.map(handler => [handler.kind.name, handler]))
  const kinds = [...byKind.keys()]
  const underWay = new Map<Claimed, Promise<void>>()
  let isStopping = false
  let isWanted = false
  /** Whether the last look took all that there was room for. */
  let areMoreThere = false
  let turn: Promise<void> | undefined

  const take = async (job: Claimed) => {
    try {
      await follow(job, { queue, handler: byKind.get(job.kind), log, tracing, onTried })
    } catch (error) {
      log.warn({ err: error }, 'a job could not be put back; it is tried again later')
    }
    underWay.delete(job)
    if (areMoreThere) look()
  }
  // A place that is free is filled at once: nobody waits for the slowest of those who were taken together.
  const work = async () => {
    while (isWanted && !isStopping && underWay.size < together) {
      isWanted = false
      const places = together - underWay.size
      const claimed = await queue.claim(kinds, places)
      areMoreThere = claimed.length === places
      for (const job of claimed) underWay.set(job, take(job))
    }
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
  const forget = queue.onAdded(kinds, look)
  look()
  return async () => {
    isStopping = true
    clearInterval(timer)
    forget()
    const settled = (async () => {
      await turn
      await Promise.all(underWay.values())
    })()
    await Promise.race([settled, sleep(patienceMilliseconds, undefined, { ref: false })])
    const handedBack = await Promise.allSettled([...underWay.keys()].map(job => queue.handBack(job)))
    for (const { reason } of handedBack.filter(one => one.status === 'rejected'))
      log.warn({ err: reason }, 'a job could not be handed back; it is begun again when its time has run out')
  }
}

interface Following extends Pick<Needs, 'queue' | 'log' | 'tracing' | 'onTried'> {
  readonly handler: JobHandler | undefined
}

// A trace of its own, with a link to that of the request that asked: it may come hours later, and again.
const follow = async (job: Claimed, { handler, ...needs }: Following) => {
  if (!handler) return
  const { kind, requestId, traceparent } = job
  const startedAt = performance.now()
  const span = needs.tracing?.begin({ name: kind, kind: 'consumer', attributes: { 'messaging.operation.type': 'process' }, askedBy: traceparent })
  return runFor({ requestId, span }, async () => {
    const result = await attempt(job, { ...needs, handler })
    span?.set({ 'authy2.job.attempt': job.attempt, 'authy2.job.result': result })
    span?.end(result === 'done' ? undefined : new Error(result))
    needs.onTried?.({ kind, result, seconds: (performance.now() - startedAt) / 1000 })
  })
}

const attempt = async (job: Claimed, { queue, handler, log }: { queue: Queue; handler: JobHandler; log: Log }): Promise<Tried['result']> => {
  try {
    // Whose process died with it each time has never failed, and is given up too.
    if (job.attempt > handler.kind.maxAttempts) throw new Hopeless('the process ended in each try')
    await inTime(handler.handle(queue.open(job), { id: job.id, attempt: job.attempt }))
    await queue.finish(job)
    return 'done'
  } catch (error) {
    const isHopeless = error instanceof Hopeless || job.attempt >= handler.kind.maxAttempts
    log.warn({ err: error, job: job.id, kind: job.kind, attempt: job.attempt }, isHopeless ? 'a job was given up' : 'a job failed and will be tried again')
    await queue.postpone(job, { reason: String(error), seconds: isHopeless ? undefined : delayOf(job.attempt) })
    return isHopeless ? 'given_up' : 'failed'
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
