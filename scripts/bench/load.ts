// Keeps every connection busy for a while and times each answer.
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
  const latencies: number[] = []
  let failed = 0
  let firstFailure: string | undefined
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000

  const repeat = async (task: Task): Promise<void> => {
    for (let now = startedAt; now < endsAt; now = performance.now()) {
      const begunAt = performance.now()
      try {
        const milliseconds = await task()
        latencies.push(typeof milliseconds === 'number' ? milliseconds : performance.now() - begunAt)
      } catch (cause) {
        failed += 1
        firstFailure ??= cause instanceof Error ? cause.message : String(cause)
        await sleep(20)
      }
    }
  }
  await Promise.all(tasks.map(repeat))
  return { done: latencies.length, failed, seconds: (performance.now() - startedAt) / 1000, latencies, firstFailure }
}
