// Reading the audit log: one event a change, filtered, page by page, never another organization's, never a secret.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let admin: { token: string; id: string }
test.before(async () => {
  api = await startApi()
  admin = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, admin.id as never, { isAdmin: true })
  await sleep(1100)
})
test.after.always(() => api?.close())

const log = async (query: string) => api.ask(`GET /audit-logs?${query}`, { token: admin.token })
const actions = (reply: { data: { action: string }[] }) => reply.data.map(({ action }) => action)

test('a change writes one event with who, what, whom and from where', async t => {
  const made = await api.ask('POST /users', {
    token: admin.token,
    body: { email: 'audited@people.example', password: 'a phrase that nobody may see' },
    headers: { 'user-agent': 'a test', 'x-request-id': 'a0000000-0000-4000-8000-000000000001' },
  })
  const { data, meta } = await log(`target=${made.data.id}`)
  t.is(meta?.total, 1)
  t.like(data[0], { action: 'user.created', outcome: 'kept', user_agent: 'a test', request_id: 'a0000000-0000-4000-8000-000000000001' })
  t.deepEqual(data[0].actor, { type: 'user', id: admin.id })
  t.deepEqual(data[0].target, { type: 'user', id: made.data.id, details: { email: 'audited@people.example', name: null } })
  t.truthy(data[0].ip)
  t.false(JSON.stringify(await log(`actor=${admin.id}`)).includes('nobody may see'))
})

test('the log is filtered by action, outcome and time, and read page by page in either order', async t => {
  const { id, email } = await api.signIn()
  await api.ask('POST /auth/login', { body: { email, password: 'not the password' } })
  t.is((await log(`target=${id}&action=sign_in.refused`)).meta?.total, 1)
  t.is((await log(`target=${id}&outcome=refused`)).data[0].action, 'sign_in.refused')
  await api.ask(`POST /users/${id}/suspend`, { token: admin.token })
  const newest = await log(`target=${id}&limit=2`)
  t.is(newest.data[0].action, 'user.suspended')
  const all: string[] = []
  let after = ''
  do {
    const page = await log(`target=${id}&limit=2&sort=occurred_at${after && `&after=${after}`}`)
    all.push(...actions(page))
    after = page.meta?.next_cursor ?? ''
  } while (after)
  t.is(all[0], 'user.created')
  t.is(all.at(-1), 'user.suspended')
  t.is(newest.meta?.total, all.length)
  const at = encodeURIComponent(newest.data[0].occurred_at)
  t.deepEqual(actions(await log(`target=${id}&from=${at}`)), ['user.suspended'])
  t.false(actions(await log(`target=${id}&to=${at}`)).includes('user.suspended'))
  t.is((await log(`target=${id}&limit=2&after=${newest.meta?.next_cursor}x`)).status, 400)
  t.is((await log('from=yesterday')).status, 400)
  for (const time of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59']) t.is((await log(`from=${encodeURIComponent(time)}`)).status, 400, time)
  t.is((await log('from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&limit=1')).status, 200)
})

test('an organization reads its own log and no other', async t => {
  const [owner, member, other] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Audited' } })
  const base = `/organizations/${data.id}`
  await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: member.id, role: 'member' } })
  await api.ask(`POST ${base}/clients`, { token: owner.token, body: { name: 'Audited client', grant_types: ['client_credentials'] } })
  await api.ask(`DELETE ${base}/members/${member.id}`, { token: owner.token })
  const read = (token: string) => api.ask(`GET ${base}/audit-logs`, { token })
  t.deepEqual(actions(await read(owner.token)), ['organization.member_removed', 'client.created', 'organization.member_added', 'organization.created'])
  t.is((await read(other.token)).status, 404)
  t.is((await api.ask('GET /audit-logs', { token: owner.token })).status, 403)
  t.is((await log(`organization=${data.id}`)).meta?.total, 4)
  t.is((await api.ask(`GET ${base}/audit-logs?organization=${data.id}`, { token: owner.token })).status, 400)
})

test('a member who is no admin does not read the log', async t => {
  const [owner, member] = [await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Not for all' } })
  await api.ask(`POST /organizations/${data.id}/members`, { token: owner.token, body: { user_id: member.id } })
  t.is((await api.ask(`GET /organizations/${data.id}/audit-logs`, { token: member.token })).status, 403)
})
