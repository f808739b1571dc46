// Whether what a process needs answers: asked once for everybody who wants to know, so that no crowd of them is an outage.
import { isClockRight } from './data/clock.ts'
import type { Database } from './data/database.ts'
import type { Redis } from './data/redis.ts'
import { createSampled, type Sampled } from './metrics/sampled.ts'

/** How each fares. */
export interface Health {
  readonly database: 'up' | 'down' | 'disk_low' | 'clock_skew'
  readonly redis: 'up' | 'down' | 'not_configured'
  /** Whether all that is configured can be used. */
  readonly isFit: boolean
}

/** Finds it out, or tells what was found out half a second ago at most. Never throws. */
export type FindHealth = () => Promise<Health>

interface Needs {
  readonly database: Pick<Database, 'runAside' | 'state'>
  readonly redis?: Pick<Redis, 'ping'> | undefined
  readonly now: () => Date
}

// The database is asked over the one connection by which changes are heard of, too. What does not answer in so long is down.
const asking = { freshFor: 500, patience: 3000 }

/** Makes it: one for all who ask in a process. */
export const createHealth = ({ database, redis, now }: Needs): FindHealth => {
  const askedDatabase = createSampled(async () => ((await isClockRight({ database, now })) ? ('up' as const) : ('clock_skew' as const)), asking)
  const askedRedis = redis && createSampled(() => redis.ping().then(() => 'up' as const), asking)
  return async () => {
    const [databaseState, redisState] = await Promise.all([stateOf(askedDatabase), askedRedis ? stateOf(askedRedis) : ('not_configured' as const)])
    const told = { database: database.state().diskLow ? ('disk_low' as const) : databaseState, redis: redisState }
    return { ...told, isFit: told.database === 'up' && told.redis !== 'down' }
  }
}

const stateOf = async <State>(asked: Sampled<State>) => {
  await asked.refresh()
  return asked.value() ?? ('down' as const)
}
