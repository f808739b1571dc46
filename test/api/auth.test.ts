// Signing up, in and out over the API.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { userIdSchema } from '../../src/users/user.ts'
import { password, startApi, type TestApi } from '../support/api.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const person = () => ({ email: `${randomUUID()}@people.example`, password: 'violet umbrella 77', full_name: 'Ida Example' })

test('who registers is a user that can sign in and call', async t => {
  const body = person()
  const made = await api.ask('POST /auth/register', { body })
  t.is(made.status, 201)
  t.is(made.data.email, body.email)
  const { status, data } = await api.ask('POST /auth/login', { body: { email: body.email.toUpperCase(), password: body.password } })
  t.is(status, 200)
  t.regex(data.token, /^authy2s_[\w-]{43}$/)
  t.is(data.user.id, made.data.id)
  t.true(data.session.current)
  const me = await api.ask('GET /auth/me', { token: data.token })
  t.is(me.data.id, made.data.id)
  t.is(me.success, true)
  t.is(me.request_id, String(me.headers['x-request-id']))
})

test('twenty who register one address at once make one user', async t => {
  const body = person()
  const replies = await Promise.all(Array.from({ length: 20 }, () => api.ask('POST /auth/register', { body })))
  t.is(replies.filter(({ status }) => status === 201).length, 1)
  t.is(replies.filter(({ status, error }) => status === 409 && error?.type === 'CONFLICT').length, 19)
})

for (const [weak, why] of [
  ['short', 'short'],
  ['🙂🙂🙂🙂🙂🙂🙂', 'short in code points'],
  ['x'.repeat(257), 'long'],
  ['password1234', 'common'],
  ['PassWord1234', 'common in other letters'],
  ['aaaaaaaaaaaaa', 'one character'],
  ['abcdefghijklmn', 'a run'],
  ['210987654321', 'a run backwards'],
  ['abcabcabcabc', 'a repetition'],
  ['grete.muster1', 'the address'],
  ['MusterGrete99', 'the names'],
])
  test(`a password that is ${why} is refused at its field`, async t => {
    const reply = await api.ask('POST /auth/register', { body: { email: 'grete.muster@people.example', full_name: 'Grete Muster', password: weak } })
    t.is(reply.status, 400)
    t.is(reply.error?.type, 'VALIDATION_ERROR')
    t.deepEqual(
      reply.error?.details.fields?.map(({ path }) => path),
      ['password'],
    )
  })

test('a passphrase without digits or capitals is taken, and 256 code points are too', async t => {
  t.is((await api.ask('POST /auth/register', { body: { ...person(), password: 'seven quiet lanterns' } })).status, 201)
  t.is((await api.ask('POST /auth/register', { body: { ...person(), password: `${'🙂x'.repeat(127)}yz` } })).status, 201)
})

test('what belongs to nobody to say at registration is refused', async t => {
  for (const extra of [{ role: 'admin' }, { id: randomUUID() }, { system_role: 'admin' }, { email_verified: true }, { suspended_at: null }])
    t.is((await api.ask('POST /auth/register', { body: { ...person(), ...extra } })).status, 400)
})

test('an unknown person and a wrong password are refused alike', async t => {
  const { email } = await api.signIn()
  const wrong = await api.ask('POST /auth/login', { body: { email, password: 'not the password' } })
  const unknown = await api.ask('POST /auth/login', { body: { email: `${randomUUID()}@people.example`, password: 'not the password' } })
  t.is(wrong.status, 401)
  t.deepEqual([unknown.status, unknown.message, unknown.error], [wrong.status, wrong.message, wrong.error])
})

test('logging out ends the token at once', async t => {
  const { token } = await api.signIn()
  t.is((await api.ask('POST /auth/logout', { token })).status, 200)
  t.is((await api.ask('GET /auth/me', { token })).status, 401)
})

test('a person sees their sessions and ends one, or all others', async t => {
  const first = await api.signIn()
  const [second, third] = [await api.signIn(first), await api.signIn(first)]
  const listed = await api.ask('GET /auth/sessions', { token: first.token })
  t.is(listed.meta?.total, 3)
  t.deepEqual(
    listed.data.filter((session: { current: boolean }) => session.current).map((session: { id: string }) => session.id),
    [first.sessionId],
  )
  t.is((await api.ask(`DELETE /auth/sessions/${second.sessionId}`, { token: first.token })).status, 200)
  t.is((await api.ask('GET /auth/me', { token: second.token })).status, 401)
  t.is((await api.ask('DELETE /auth/sessions', { token: first.token })).status, 200)
  t.is((await api.ask('GET /auth/me', { token: third.token })).status, 401)
  t.is((await api.ask('GET /auth/me', { token: first.token })).status, 200)
})

test('another person’s session is not there', async t => {
  const [mine, theirs] = [await api.signIn(), await api.signIn()]
  t.is((await api.ask(`DELETE /auth/sessions/${theirs.sessionId}`, { token: mine.token })).status, 404)
  t.is((await api.ask('GET /auth/me', { token: theirs.token })).status, 200)
})

test('a sign-in that a new password overtook begins no session', async t => {
  const { id } = await api.signIn()
  const since = new Date(Date.now() - 1000)
  await api.server.services.signIn.setPassword(systemActor, { id: userIdSchema.parse(id), password: 'eleven silver kettles' })
  await t.throwsAsync(api.server.services.apiSessions.begin(systemActor, { userId: id, amr: ['pwd'], since }), { code: 'invalid_credentials' })
})

test('a token is kept nowhere but as its hash', async t => {
  const { token } = await api.signIn()
  const { rows } = await api.server.resources.database.pool.query(
    'SELECT row_to_json(s)::text AS row FROM sessions s UNION ALL SELECT row_to_json(a)::text FROM audit_events a',
  )
  t.false(rows.some(({ row }) => row.includes(token.slice(8)) || row.includes(password)))
})

test('a session that is ended twice at the same moment is ended, and nobody is told that it is not there', async t => {
  for (let round = 0; round < 10; round += 1) {
    const { token } = await api.signIn()
    const replies = await Promise.all(Array.from({ length: 4 }, () => api.ask('POST /auth/logout', { token })))
    for (const { status } of replies) t.true([200, 401].includes(status), String(status))
  }
})
