// Writes that were refused: each leaves one event, and only those that a known caller was refused.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const eventsOf = (actorId: string) => api.server.resources.database.prisma.auditEvent.findMany({ where: { actorId, action: 'request.refused' } })

test('a write that is refused for who asks or for what is there leaves exactly one event, of its organization where it is in one', async t => {
  const { id, base, member, owner } = await makeOrganization(api)
  t.is((await api.ask('POST /users', { token: member.token, body: { email: 'x@people.example' } })).status, 403)
  const [ofSystem, ...more] = await eventsOf(member.id)
  t.like(ofSystem, { outcome: 'refused', organizationId: null, target: { operation: 'POST /users', code: 'forbidden' } })
  t.is(more.length, 0)
  t.is((await api.ask(`DELETE ${base}/members/${owner.id}`, { token: owner.token })).status, 409)
  const [ofPlace, ...others] = await eventsOf(owner.id)
  t.like(ofPlace, { outcome: 'refused', organizationId: id, target: { operation: 'DELETE /organizations/:id/members/:userId', code: 'last_owner' } })
  t.is(others.length, 0)
})

test('reads, what is not there, what is not valid and what nobody known asked leave none', async t => {
  const { base, member } = await makeOrganization(api)
  const { token } = member
  t.is((await api.ask('GET /users', { token })).status, 403)
  t.is((await api.ask(`DELETE ${base}/members/x`, { token })).status, 400)
  t.is((await api.ask('DELETE /organizations/01900000-0000-7000-8000-000000000000', { token })).status, 404)
  t.is((await api.ask('POST /users', { body: {} })).status, 401)
  t.deepEqual(await eventsOf(member.id), [])
})

test('an unknown field is told by its own path, and an empty Idempotency-Key is refused', async t => {
  const { token } = await api.signIn()
  const body = { name: 'x', what: 1 }
  t.is((await api.ask('POST /organizations', { token, body })).error?.details.fields?.[0]?.path, 'what')
  t.is((await api.ask('GET /organizations?what=1', { token })).error?.details.fields?.[0]?.path, 'what')
  t.is((await api.ask('POST /organizations', { token, body: { name: 'x' }, headers: { 'idempotency-key': '' } })).status, 400)
})

test('a weak tag never matches where a version is asked for, and documents take no other method', async t => {
  const { base, owner } = await makeOrganization(api)
  const etag = String((await api.ask(`GET ${base}`, { token: owner.token })).headers.etag)
  const rename = (tag: string) => api.ask(`PATCH ${base}`, { token: owner.token, body: { name: 'Renamed' }, headers: { 'if-match': tag } })
  t.is((await rename(`W/${etag}`)).status, 412)
  t.is((await rename(etag)).status, 200)
  for (const path of ['/api/docs', '/api/openapi.json']) t.is((await api.calls.call(path, { method: 'POST' })).status, 405, path)
})
