// How a server's answers are delayed by what else it does: at seven tenths of what it can, and beside people who sign in.
import { availableParallelism } from 'node:os'
import { type LoadResult, runLoad, runPaced } from './load.ts'
import { percentile } from './measure.ts'
import { findRow } from './rows.ts'
import type { Target } from './target.ts'

const share = 0.7
/** Few enough that nothing waits for anything. */
const calmPerSecond = 100

/** Of tokens by client credentials, in milliseconds. */
export interface Steadiness {
  readonly target: string
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly calmP50: number
  readonly besideP50: number
  readonly signInsPerSecond: number
  /** Of all requests. */
  readonly failed: number
}

interface Plan {
  /** Of each measurement. */
  readonly seconds: number
  /** Password hashes a CPU second. */
  readonly hashesPerCore: number
}

/** Measures a server. */
export async function measureSteadiness(target: Target, { seconds, hashesPerCore }: Plan): Promise<Steadiness> {
  const tokens = await findRow('client-credentials').prepare(target)
  const signIns = await findRow('password').prepare(target)
  const most = await runLoad(tokens, seconds)
  const perSecond = share * (most.done / most.seconds)
  const paced = await runPaced(tokens, { perSecond, seconds })
  const calm = await runPaced(tokens, { perSecond: calmPerSecond, seconds })
  const signInsPerSecond = (hashesPerCore * Math.max(1, availableParallelism() - 1)) / 2
  const [beside, signedIn] = await Promise.all([
    runPaced(tokens, { perSecond: calmPerSecond, seconds }),
    runPaced(signIns, { perSecond: signInsPerSecond, seconds }),
  ])
  return {
    target: target.name,
    perSecond,
    p50: p50(paced),
    p99: percentile(paced.latencies, 0.99),
    calmP50: p50(calm),
    besideP50: p50(beside),
    signInsPerSecond: signedIn.done / signedIn.seconds,
    failed: [most, paced, calm, beside, signedIn].reduce((sum, { failed }) => sum + failed, 0),
  }
}

const p50 = ({ latencies }: LoadResult) => percentile(latencies, 0.5)
