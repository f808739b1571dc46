// What people may do with themselves.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { password, startApi, type TestApi } from '../support/api.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

test('a person changes their name, and null empties it', async t => {
  const { token } = await api.signIn()
  t.is((await api.ask('PATCH /users/me', { token, body: { full_name: 'Another Name' } })).status, 200)
  t.true(JSON.stringify((await api.ask('GET /users/me', { token })).data).includes('Another Name'))
  t.is((await api.ask('PATCH /users/me', { token, body: { full_name: null } })).status, 200)
  t.false(JSON.stringify((await api.ask('GET /users/me', { token })).data).includes('Another Name'))
})

test('a person cannot make themselves anything else', async t => {
  const { token } = await api.signIn()
  for (const body of [{ role: 'admin' }, { isAdmin: true }, { email_verified: true }, { id: 'x' }, { suspended_at: null }])
    t.is((await api.ask('PATCH /users/me', { token, body })).status, 400, JSON.stringify(body))
})

test('an update of what was changed meanwhile is refused', async t => {
  const { token } = await api.signIn()
  const read = await api.ask('GET /users/me', { token })
  const etag = String(read.headers.etag)
  t.is((await api.ask('GET /users/me', { token, headers: { 'if-none-match': etag } })).status, 304)
  t.is((await api.ask('PATCH /users/me', { token, body: { full_name: 'First' }, headers: { 'if-match': etag } })).status, 200)
  const late = await api.ask('PATCH /users/me', { token, body: { full_name: 'Second' }, headers: { 'if-match': etag } })
  t.is(late.status, 412)
  t.is(late.error?.type, 'PRECONDITION_FAILED')
  t.is((await api.ask('GET /users/me', { token, headers: { 'if-none-match': etag } })).status, 200)
})

test('a new password ends every other session and keeps the caller’s', async t => {
  const mine = await api.signIn()
  const other = await api.signIn(mine)
  const body = { current_password: password, new_password: 'eleven silver kettles' }
  t.is((await api.ask('POST /users/me/password', { token: mine.token, body })).status, 200)
  t.is((await api.ask('GET /auth/me', { token: other.token })).status, 401)
  t.is((await api.ask('GET /auth/me', { token: mine.token })).status, 200)
  t.is((await api.ask('POST /auth/login', { body: { email: mine.email, password } })).status, 401)
  t.is((await api.ask('POST /auth/login', { body: { email: mine.email, password: body.new_password } })).status, 200)
})

test('a wrong current password or a weak new one changes nothing', async t => {
  const { token, email } = await api.signIn()
  const wrong = await api.ask('POST /users/me/password', { token, body: { current_password: 'not the password', new_password: 'eleven silver kettles' } })
  t.deepEqual([wrong.status, wrong.error?.details.fields?.[0]?.path], [400, 'current_password'])
  const weak = await api.ask('POST /users/me/password', { token, body: { current_password: password, new_password: 'password1234' } })
  t.deepEqual([weak.status, weak.error?.details.fields?.[0]?.path], [400, 'new_password'])
  t.is((await api.ask('POST /auth/login', { body: { email, password } })).status, 200)
})

test('who deletes themselves is signed out everywhere and can sign in no more', async t => {
  const { token, email } = await api.signIn()
  t.is((await api.ask('DELETE /users/me', { token })).status, 200)
  t.is((await api.ask('GET /users/me', { token })).status, 401)
  t.is((await api.ask('POST /auth/login', { body: { email, password } })).status, 401)
})

test('a person sees their organizations and their role in each', async t => {
  const { token, id } = await api.signIn()
  const organization = await api.server.services.organizations.create(systemActor, { slug: 'mine-1', name: 'Mine', ownerId: id })
  const { data } = await api.ask('GET /users/me/organizations', { token })
  t.is(data.length, 1)
  t.like(data[0], { role: 'owner', organization: { id: organization.id, slug: 'mine-1', name: 'Mine' } })
})
