// Measures a row on every server in turns, A B C A B C, so that what the machine does meanwhile falls on all alike.
import { type LoadResult, runLoad, type Task } from './load.ts'
import type { Row } from './rows.ts'
import type { RoundTrips, Sample } from './subject.ts'
import type { Target } from './target.ts'

export interface Round {
  readonly load: LoadResult
  /** Requests a CPU second of the process with its children, and of the process alone. */
  readonly perCore: number
  readonly perOwnCore: number
  readonly megabytes: { readonly own: number; readonly children: number }
  /** A request's share. */
  readonly roundTrips: RoundTrips | undefined
}

export interface Cell {
  readonly target: string
  readonly rounds: readonly Round[]
  /** Why nothing could be measured. */
  readonly failure: string | undefined
}

export interface Plan {
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: WarmUp
  readonly peerWarmUp: WarmUp
}

/** What runs before a row is measured: for the least time, and on until so many were done, but no longer than the most. */
export interface WarmUp {
  readonly done: number
  readonly leastSeconds: number
  readonly mostSeconds: number
}

/** A server, and what makes its tasks of a row. */
export interface Measured {
  readonly target: Target
  readonly prepare: Row['prepare']
}

/** One cell a server, in the servers' order. */
export async function measureRow(row: Row, servers: readonly Measured[], { rounds, seconds, warmUp, peerWarmUp }: Plan): Promise<readonly Cell[]> {
  const cells = []
  for (const server of servers) cells.push(await prepareCell(row, server, server.target.isPeer ? peerWarmUp : warmUp))
  for (let round = 0; round < rounds; round += 1) {
    for (const { target, tasks, measured } of cells) if (tasks) measured.push(await measureRound(target, tasks, seconds))
  }
  return cells.map(({ target, measured, failure }) => ({ target: target.name, rounds: measured, failure }))
}

async function prepareCell(row: Row, { target, prepare }: Measured, warmUp: WarmUp) {
  const measured: Round[] = []
  try {
    const tasks = await prepare(target)
    if (!row.isWarm || target.isPeer) await warm(tasks, warmUp)
    return { target, tasks, measured, failure: undefined }
  } catch (cause) {
    return { target, tasks: undefined, measured, failure: cause instanceof Error ? cause.message : String(cause) }
  }
}

async function warm(tasks: readonly Task[], { done: wanted, leastSeconds, mostSeconds }: WarmUp): Promise<void> {
  const startedAt = performance.now()
  let { done } = await runLoad(tasks, leastSeconds)
  while (done < wanted && performance.now() - startedAt < mostSeconds * 1000) done += (await runLoad(tasks, 1)).done
}

async function measureRound(target: Target, tasks: readonly Task[], seconds: number): Promise<Round> {
  const before = await target.sample()
  const load = await runLoad(tasks, seconds)
  const after = await target.sample()
  return {
    load,
    perCore: load.done / (after.treeSeconds - before.treeSeconds),
    perOwnCore: load.done / (after.ownSeconds - before.ownSeconds),
    megabytes: { own: after.ownMegabytes, children: after.childrenMegabytes },
    roundTrips: roundTripsPerRequest(before, after, load.done),
  }
}

function roundTripsPerRequest({ roundTrips: before }: Sample, { roundTrips: after }: Sample, requests: number): RoundTrips | undefined {
  if (!before || !after || requests === 0) return undefined
  return { database: (after.database - before.database) / requests, redis: (after.redis - before.redis) / requests }
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which the given share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
