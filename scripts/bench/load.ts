// Keeps every connection busy for a while, or begins so many requests a second, and times each answer.
import { setTimeout as sleep } from 'node:timers/promises'

/** One request, or one whole flow, on a connection of its own. Answers what it took in milliseconds where not all of it counts. */
export type Task = () => Promise<unknown>

export interface LoadResult {
  readonly done: number
  readonly failed: number
  readonly seconds: number
  readonly latencies: readonly number[]
  readonly firstFailure: string | undefined
}

/** Runs all tasks again and again, each after its own last end; what runs at the end of the time is finished and counted. */
export async function runLoad(tasks: readonly Task[], seconds: number): Promise<LoadResult> {
  const timed = createTimed()
  const endsAt = timed.startedAt + seconds * 1000
  const repeat = async (task: Task): Promise<void> => {
    for (let now = timed.startedAt; now < endsAt; now = performance.now()) await timed.run(task, now)
  }
  await Promise.all(tasks.map(repeat))
  return timed.result()
}

/** Begins tasks evenly, whatever became of those before: one for which no connection is free waits for one, and that counts. */
export async function runPaced(tasks: readonly Task[], { perSecond, seconds }: { perSecond: number; seconds: number }): Promise<LoadResult> {
  const timed = createTimed()
  const free = [...tasks]
  const due: number[] = []
  const running = new Set<Promise<void>>()
  const begin = (task: Task, dueAt: number): void => {
    const run = timed.run(task, dueAt).then(() => {
      running.delete(run)
      const next = due.shift()
      if (next === undefined) free.push(task)
      else begin(task, next)
    })
    running.add(run)
  }
  const total = Math.round(perSecond * seconds)
  for (let begun = 0; begun < total; ) {
    await sleep(1)
    const now = performance.now()
    for (const until = Math.min(total, ((now - timed.startedAt) / 1000) * perSecond); begun < until; begun += 1) {
      const task = free.pop()
      if (task) begin(task, now)
      else due.push(now)
    }
  }
  while (running.size > 0) await Promise.all(running)
  return timed.result()
}

function createTimed() {
  const latencies: number[] = []
  let failed = 0
  let firstFailure: string | undefined
  const startedAt = performance.now()
  return {
    startedAt,
    run: async (task: Task, begunAt: number): Promise<void> => {
      try {
        const milliseconds = await task()
        latencies.push(typeof milliseconds === 'number' ? milliseconds : performance.now() - begunAt)
      } catch (cause) {
        failed += 1
        firstFailure ??= cause instanceof Error ? cause.message : String(cause)
        await sleep(20)
      }
    },
    result: (): LoadResult => ({ done: latencies.length, failed, seconds: (performance.now() - startedAt) / 1000, latencies, firstFailure }),
  }
}
