// Where a row happens: processes behind a balancer under traffic, what was broken when, and the count afterwards.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Balancer, startBalancer } from '../../support/balancer.ts'
import { type Calls, createCalls } from '../../support/calls.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { audit, type Ledger, openLedger } from '../../support/ledger.ts'
import type { PostgresServer } from '../../support/postgres-server.ts'
import { isReady, type ServerProcess, startProcess } from '../../support/process.ts'
import { prepareTrack, type Track } from '../../support/race.ts'
import { type Passed, startTraffic } from '../../support/traffic.ts'
import { until } from '../../support/until.ts'
import { createClaims, type RowResult } from './row.ts'

/** What a row works with. */
export interface Ground {
  readonly cluster: Cluster
  readonly balancer: Balancer
  readonly track: Track
  readonly calls: Calls
  readonly ledger: Ledger
  readonly processes: readonly ServerProcess[]
  readonly passed: readonly Passed[]
  /** Ends a process as told and starts another in its place; answers the exit code. */
  replace(at: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  /** Notes that something is broken until `work` is done: what fails afterwards is counted as recovery. */
  fault(work: () => Promise<unknown>): Promise<void>
  holds(isTrue: boolean, claim: string): void
  see(words: string): void
}

interface Given {
  readonly size?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly environments?: (at: number) => Readonly<Record<string, string>>
  readonly startDatabase?: (folder: string) => Promise<PostgresServer>
}

const settleSeconds = 4

/** Lets a row do its work under traffic, looks at what is left, and cleans up whatever happened. */
export async function underTraffic(given: Given, work: (ground: Ground) => Promise<void>): Promise<RowResult> {
  const ends: (() => unknown)[] = []
  const claims = createClaims()
  const seen: string[] = []
  try {
    const base = await prepare(given, ends)
    const { track, ledger, calls, cluster } = base
    const apiToken = await administratorToken(calls)
    const warming = startTraffic(track, { ledger, apiToken })
    ends.push(warming.stop)
    await sleep(3000)
    await warming.stop()
    const traffic = startTraffic(track, { ledger, apiToken })
    ends.push(traffic.stop)
    const faults: { readonly from: number; readonly to: number }[] = []
    await sleep(1000)
    const see = (words: string) => void seen.push(words)
    const fault = async (broken: () => Promise<unknown>) => {
      const from = performance.now()
      await broken()
      faults.push({ from, to: performance.now() })
    }
    await work({ ...base, passed: traffic.passed, fault, holds: claims.holds, see })
    await sleep(settleSeconds * 1000)
    await traffic.stop()
    const { looked, lost } = await audit(track, ledger, cluster.postgres.url)
    const total = Object.values(lost).reduce((sum, one) => sum + one, 0)
    claims.holds(total === 0, `lost: ${JSON.stringify(lost)}`)
    return { ...told(traffic.passed, faults), looked, lost: total, seen: seen.join('; '), broken: claims.broken }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function prepare({ size = 3, settings = {}, environments = () => ({}), startDatabase }: Given, ends: (() => unknown)[]) {
  const balancer = await startBalancer()
  ends.push(balancer.close)
  const own = { ISSUER: balancer.origin, SHUTDOWN_GRACE_SECONDS: '1', DATABASE_POOL_SIZE: '5', API_REQUESTS_PER_MINUTE: '100000' }
  const cluster = await startCluster({
    size: 1,
    isRedisUsed: true,
    settings: { ...own, ...environments(0), ...settings },
    ...(startDatabase ? { startDatabase } : {}),
  })
  ends.push(cluster.close)
  const processes = [...cluster.processes]
  ends.push(() => Promise.all(processes.map(one => one.stop())))
  const environmentOf = (at: number) => ({ ...cluster.environment, ...environments(at) })
  while (processes.length < size) processes.push(await startProcess(environmentOf(processes.length)))
  balancer.lead(processes.map(({ origin }) => origin))
  const calls = createCalls(balancer.origin)
  ends.push(calls.close)
  await until(async () => (await calls.call('/readyz')).status === 200)
  const track = await cluster.withServices(services => prepareTrack({ services, calls, issuer: balancer.origin }))
  const ledger = await openLedger(track)
  const replace = async (at: number, signal: 'SIGTERM' | 'SIGKILL') => {
    const one = processes[at]
    if (!one) throw new Error(`there is no process ${at}`)
    if (signal === 'SIGKILL') one.kill(signal)
    const code = signal === 'SIGTERM' ? await one.stop() : await until(() => !one.isRunning()).then(() => null)
    processes[at] = await startProcess({ ...environmentOf(at), PORT: new URL(one.origin).port })
    await until(() => isReady(one.origin))
    return code
  }
  return { balancer, cluster, processes, calls, track, ledger, replace }
}

async function administratorToken(calls: Calls): Promise<string> {
  const body = JSON.stringify({ email: 'admin@authy2.local', password: 'AdminPass123!' })
  const { json, status } = await calls.call('/api/v1/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (status !== 200) throw new Error(`signing in as an administrator answered ${status}`)
  return String((json.data as { token: string }).token)
}

/** How many of each kind and answer failed. */
export function briefly(passed: readonly Passed[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, failure } of passed) if (failure !== undefined) counts[`${kind}: ${failure}`] = (counts[`${kind}: ${failure}`] ?? 0) + 1
  return counts
}

function told(passed: readonly Passed[], faults: readonly { from: number; to: number }[]) {
  const failed = passed.filter(({ failure }) => failure !== undefined)
  const recovery = failed.map(({ at }) => at - Math.max(...faults.filter(({ from }) => from <= at).map(({ to }) => to)))
  return {
    requests: passed.length,
    failures: failed.length,
    failuresAgain: failed.filter(({ failureAgain }) => failureAgain !== undefined).length,
    recoverySeconds: Math.max(0, ...recovery.filter(Number.isFinite)) / 1000,
    slowestSeconds: Math.max(...passed.map(({ milliseconds }) => milliseconds)) / 1000,
    answers: briefly(failed),
  }
}
