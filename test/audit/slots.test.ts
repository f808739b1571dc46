// Nobody keeps others from the log for long: each organization has a slot of its own, and the system has one beside them.
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import test from 'ava'
import { createSlots } from '../../src/audit/slots.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { until } from '../support/until.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

test('an organization has one slot, all of them have so many, and the system its own', t => {
  const slots = createSlots({ organizations: 2, system: 1 })
  const giveBack = slots.take('a')
  t.like(
    t.throws(() => slots.take('a')),
    { code: 'busy', retryAfterSeconds: 10 },
  )
  slots.take('b')
  t.throws(() => slots.take('c'))
  const giveBackOfSystem = slots.take(undefined)
  t.throws(() => slots.take(undefined))
  giveBack()
  giveBackOfSystem()
  t.notThrows(() => [slots.take('c'), slots.take(undefined)])
})

test('a long export is sent as it is taken, is the only one of its organization, and ends when the caller leaves', async t => {
  const [admin, owner, other] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { services, resources, issuer } = api.server
  await services.userAdministration.update(systemActor, admin.id as never, { isAdmin: true })
  const make = async (token: string, name: string) => (await api.ask('POST /organizations', { token, body: { name } })).data.id as string
  const [organization, others] = [await make(owner.token, 'Exports'), await make(other.token, 'Others')]
  await services.change({ ...systemActor, organizationId: organization }, async (_tx, record) => {
    for (let n = 0; n < 5000; n += 1) record('organization.deleted', { id: organization, slug: 'x'.repeat(900), name: 'y' })
  })
  const read = async (path: string, token: string) => {
    const { status, body, headers } = await api.calls.call(`/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
    return { status, headers, lines: body.split('\n').length - 1 }
  }
  const path = `/organizations/${organization}/audit-logs/export`
  const opened = resources.database.roundTrips()
  const asked = request(new URL(`${issuer}/api/v1${path}`), { headers: { authorization: `Bearer ${owner.token}` } })
  asked.on('error', () => undefined).end()
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  answer?.once('data', () => answer.pause())
  await until(async () => (await read(path, owner.token)).status === 503)
  // Pages of 500; of eleven no more than what fits between us was read.
  const trips = resources.database.roundTrips() - opened
  t.true(trips < 20, `${trips} statements`)
  t.is((await read(path, owner.token)).headers['retry-after'], '10')
  t.is((await read(`/organizations/${others}/audit-logs/export`, other.token)).lines, 1)
  t.true((await read('/audit-logs/export?action=none', admin.token)).status === 200)
  asked.destroy()
  await until(async () => (await read(path, owner.token)).status === 200)
  for (let round = 0; round < 3; round += 1) t.is((await read(path, owner.token)).lines, 5001)
})
