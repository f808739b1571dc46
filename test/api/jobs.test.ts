// What waits to be done and what was given up, as an administrator sees it.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { z } from 'zod'
import type { JobKind } from '../../src/platform/jobs/job.ts'
import { startApi, type TestApi } from '../support/api.ts'

// Nobody in the server does jobs of this kind, so they stay.
const kind: JobKind<{ secret: string }> = { name: 'test.idle', schema: z.object({ secret: z.string() }), maxAttempts: 3 }

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi()
  token = (await administrator()).token
})
test.after.always(() => api?.close())

const administrator = async () => {
  const person = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [person.id])
  return person
}
const add = () => api.server.resources.database.prisma.$transaction(tx => api.server.services.queue.add(tx, { kind, payload: { secret: 'violets' } }))
const jobs = async (query = '') => (await api.ask(`GET /jobs${query}`, { token })).data.filter((job: { kind: string }) => job.kind === kind.name)

test.serial('jobs are listed by state, without what they say', async t => {
  await add()
  await add()
  const [claimed] = await api.server.services.queue.claim([kind.name], 1)
  if (!claimed) return t.fail()
  await api.server.services.queue.postpone(claimed, { reason: 'no such person' })
  const dead = await jobs('?state=dead')
  t.is(dead.length, 1)
  t.like(dead[0], { state: 'dead', attempts: 1, last_error: 'no such person' })
  t.false(JSON.stringify(dead).includes('payload'))
  t.is((await jobs('?state=waiting')).length, 1)
  t.is((await jobs()).length, 2)
  t.is((await api.ask('GET /jobs?state=done', { token })).status, 400)
})

test.serial('a page of jobs leads to the next', async t => {
  const first = await api.ask('GET /jobs?limit=1', { token })
  const second = await api.ask(`GET /jobs?limit=1&after=${first.meta?.next_cursor}`, { token })
  t.is(first.data.length, 1)
  t.is(second.data.length, 1)
  t.not(first.data[0].id, second.data[0].id)
})

test.serial('a job that was given up is tried again, once somebody says so', async t => {
  const [dead] = await jobs('?state=dead')
  const again = await api.ask(`POST /jobs/${dead.id}/retry`, { token })
  t.is(again.status, 200)
  t.like(again.data, { state: 'waiting', attempts: 0, dead_at: null })
  t.truthy((await api.server.services.queue.claim([kind.name], 5)).find(({ id }) => id === dead.id))
  t.is((await api.ask(`POST /jobs/${dead.id}/retry`, { token })).status, 409)
})

test.serial('a job is deleted once', async t => {
  const [one] = await jobs()
  t.is((await api.ask(`DELETE /jobs/${one.id}`, { token })).status, 200)
  t.is((await api.ask(`DELETE /jobs/${one.id}`, { token })).status, 404)
  t.is((await api.ask(`POST /jobs/${randomUUID()}/retry`, { token })).status, 404)
})

test.serial('jobs are for administrators of the system', async t => {
  const { token: someone } = await api.signIn()
  t.is((await api.ask('GET /jobs', { token: someone })).status, 403)
  t.is((await api.ask('GET /jobs')).status, 401)
})
