// The routes of the API that belong to no slice.
import { z } from 'zod'
import type { Database } from '../platform/data/database.ts'
import type { Redis } from '../platform/data/redis.ts'
import { nothing, type Route, route } from '../platform/http/route.ts'

const state = z.enum(['up', 'down', 'disk_low', 'not_configured'])

/** Health of each dependency: 200 when all that is configured answers, else 503. */
export const createHealthRoutes = ({ database, redis }: { database: Database; redis?: Redis }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/health',
    summary: 'The state of each dependency.',
    params: nothing,
    query: nothing,
    body: nothing,
    output: z.object({ status: z.enum(['ok', 'degraded']), database: state, redis: state }),
    handle: async () => {
      const [databaseState, redisState] = await Promise.all([databaseHealth(database), redis ? answers(redis) : ('not_configured' as const)])
      const isFit = databaseState === 'up' && redisState !== 'down'
      return { status: isFit ? 200 : 503, data: { status: isFit ? ('ok' as const) : ('degraded' as const), database: databaseState, redis: redisState } }
    },
  }),
]

/** Whether everything this process needs answers. */
export const isReady = async ({ database, redis }: { database: Database; redis?: Redis }): Promise<boolean> => {
  const states = await Promise.all([databaseHealth(database), redis ? answers(redis) : 'up'])
  return states.every(one => one === 'up')
}

const databaseHealth = async (database: Database) => (database.state().diskLow ? ('disk_low' as const) : answers(database))

const answers = async (dependency: { ping(): Promise<void> }) => {
  try {
    await dependency.ping()
    return 'up' as const
  } catch {
    return 'down' as const // the state itself is the answer; the outage is logged where it happens
  }
}
