// The operations on jobs, for the administrators of the system.
import { z } from 'zod'
import { type Lists, listQuery } from '../http/list.ts'
import { done, type Route, route } from '../http/route.ts'
import { type JobAdministration, jobStates, type KnownJob } from './administration.ts'

const read = { permission: 'jobs:read' } as const
const write = { permission: 'jobs:write' } as const
const params = z.strictObject({ id: z.uuid() })
const output = z.object({
  id: z.uuid(),
  kind: z.string(),
  state: z.enum(jobStates),
  attempts: z.int(),
  last_error: z.string().nullable(),
  run_at: z.iso.datetime(),
  created_at: z.iso.datetime(),
  dead_at: z.iso.datetime().nullable(),
})

/** Makes the routes. */
export const createJobRoutes = ({ jobAdministration: jobs, lists }: { jobAdministration: JobAdministration; lists: Lists }): readonly Route[] => [
  route({
    ...read,
    method: 'GET',
    path: '/jobs',
    summary: 'What is to be done outside requests, such as mail, and what was given up; the newest first.',
    query: listQuery({ sorts: ['-created_at'], filters: { state: z.enum(jobStates).optional() } }),
    output: z.array(output),
    handle: async ({ query }) => {
      const list = lists.open('jobs', query)
      const found = await jobs.list(query.state, { limit: list.limit, after: list.after })
      const { data, meta } = list.page({ ...found, cursorOf: job => [job.createdAt.toISOString(), job.id] })
      return { data: data.map(toOutput), meta }
    },
  }),
  route({
    ...write,
    method: 'POST',
    path: '/jobs/:id/retry',
    summary: 'Has a job tried again at once.',
    params,
    output,
    handle: async ({ actor, params }) => ({ data: toOutput(await jobs.retry(actor, params.id)) }),
  }),
  route({
    ...write,
    method: 'DELETE',
    path: '/jobs/:id',
    summary: 'Deletes a job: it will not be done.',
    params,
    output: done,
    handle: async ({ actor, params }) => {
      await jobs.remove(actor, params.id)
      return { data: null }
    },
  }),
]

const toOutput = ({ id, kind, attempts, lastError, runAt, createdAt, deadAt }: KnownJob): z.input<typeof output> => ({
  id,
  kind,
  state: deadAt ? 'dead' : 'waiting',
  attempts,
  last_error: lastError ?? null,
  run_at: runAt.toISOString(),
  created_at: createdAt.toISOString(),
  dead_at: deadAt?.toISOString() ?? null,
})
