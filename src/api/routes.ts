// The routes of the API that belong to no slice.
import { z } from 'zod'
import type { FindHealth } from '../platform/health.ts'
import { nothing, type Route, route } from '../platform/http/route.ts'

const state = z.enum(['up', 'down', 'disk_low', 'clock_skew', 'not_configured'])

/** Health of each dependency: 200 when all that is configured answers, else 503. */
export const createHealthRoutes = (findHealth: FindHealth): readonly Route[] => [
  route({
    method: 'GET',
    path: '/health',
    summary: 'The state of each dependency.',
    params: nothing,
    query: nothing,
    body: nothing,
    output: z.object({ status: z.enum(['ok', 'degraded']), database: state, redis: state }),
    handle: async () => {
      const { isFit, ...states } = await findHealth()
      return { status: isFit ? 200 : 503, data: { status: isFit ? ('ok' as const) : ('degraded' as const), ...states } }
    },
  }),
]
