// What every outage must be like: passing, quickly answered, healed by itself, and nobody signed out.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { Cluster } from './cluster.ts'
import { isPassing, isWell, type Kind, type Load, type Noted } from './load.ts'
import { until } from './until.ts'

interface Outage {
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  readonly seconds: number
  /** What goes on as if nothing had happened. */
  readonly unaffected: readonly Kind[]
}

const hangMilliseconds = 10_000
const healMilliseconds = 3000

/** Breaks something under load, mends it, and asserts all that must hold. */
export async function endure(
  t: ExecutionContext,
  { cluster, load }: { cluster: Cluster; load: Load },
  { stop, start, seconds, unaffected }: Outage,
): Promise<void> {
  const begunAt = performance.now()
  await sleep(1000)
  t.deepEqual(brief(load.since(begunAt).filter(one => !isWell(one))), {}, 'before')

  const brokenAt = performance.now()
  await stop()
  await sleep(seconds * 1000)
  await start()
  const mendedAt = performance.now()
  const kinds = new Set(load.noted.map(({ kind }) => kind))
  await until(() => [...kinds].every(kind => load.since(mendedAt).some(one => one.kind === kind && isWell(one))))
  const healedIn = performance.now() - mendedAt
  await sleep(1000)

  const during = load.since(brokenAt)
  t.log(`${during.length} requests in ${seconds} s of outage, healed ${Math.round(healedIn)} ms after: ${JSON.stringify(brief(during))}`)
  t.true(healedIn < healMilliseconds, `healed in ${healedIn} ms`)
  t.deepEqual(brief(during.filter(one => !isWell(one) && !isPassing(one))), {}, 'answered otherwise than by «come again later»')
  t.deepEqual(brief(during.filter(one => unaffected.includes(one.kind) && !isWell(one))), {}, 'what needs nothing of it went on')
  t.deepEqual(brief(during.filter(({ milliseconds }) => milliseconds > hangMilliseconds)), {}, 'nothing hung')
  t.deepEqual(brief(during.filter(({ isCookieCleared }) => isCookieCleared)), {}, 'no cookie was cleared')
  t.deepEqual(brief(load.since(mendedAt + healMilliseconds).filter(one => !isWell(one))), {}, 'afterwards all is well')
  t.true(cluster.processes.every(one => one.isRunning()))
}

/** How many of each kind and answer. */
export function brief(noted: readonly Noted[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, status, error, isRetryTold } of noted) {
    const name = [kind, status, error, status === 503 && !isRetryTold ? 'without Retry-After' : undefined].filter(part => part !== undefined).join(' ')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
