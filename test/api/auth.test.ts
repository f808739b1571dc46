// What people do about themselves over the API: sign up, in and out, prove an address, choose a new password, change what is theirs.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { userIdSchema } from '../../src/users/user.ts'
import { type ApiReply, password, startApi, type TestApi } from '../support/api.ts'
import { linkToken, mailTo } from '../support/mails.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const person = () => ({ email: `${randomUUID()}@people.example`, password: 'violet umbrella 77', full_name: 'Ida Example' })

// In turn: all at once would be more sign-ins under way than one address may have.
test.serial('who registers is a user that can sign in and call', async t => {
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

test.serial('twenty who register one address at once make one user', async t => {
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

test.serial('a passphrase without digits or capitals is taken, and 256 code points are too', async t => {
  t.is((await api.ask('POST /auth/register', { body: { ...person(), password: 'seven quiet lanterns' } })).status, 201)
  t.is((await api.ask('POST /auth/register', { body: { ...person(), password: `${'🙂x'.repeat(127)}yz` } })).status, 201)
})

test.serial('what belongs to nobody to say at registration is refused', async t => {
  for (const extra of [{ role: 'admin' }, { id: randomUUID() }, { system_role: 'admin' }, { email_verified: true }, { suspended_at: null }])
    t.is((await api.ask('POST /auth/register', { body: { ...person(), ...extra } })).status, 400)
})

test.serial('an unknown person and a wrong password are refused alike', async t => {
  const { email } = await api.signIn()
  const wrong = await api.ask('POST /auth/login', { body: { email, password: 'not the password' } })
  const unknown = await api.ask('POST /auth/login', { body: { email: `${randomUUID()}@people.example`, password: 'not the password' } })
  t.is(wrong.status, 401)
  t.deepEqual([unknown.status, unknown.message, unknown.error], [wrong.status, wrong.message, wrong.error])
})

test.serial('logging out ends the token at once', async t => {
  const { token } = await api.signIn()
  t.is((await api.ask('POST /auth/logout', { token })).status, 200)
  t.is((await api.ask('GET /auth/me', { token })).status, 401)
})

test.serial('a person sees their sessions and ends one, or all others', async t => {
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

test.serial('another person’s session is not there', async t => {
  const [mine, theirs] = [await api.signIn(), await api.signIn()]
  t.is((await api.ask(`DELETE /auth/sessions/${theirs.sessionId}`, { token: mine.token })).status, 404)
  t.is((await api.ask('GET /auth/me', { token: theirs.token })).status, 200)
})

test.serial('a sign-in that a new password overtook begins no session', async t => {
  const { id } = await api.signIn()
  const since = new Date(Date.now() - 1000)
  await api.server.services.signIn.setPassword(systemActor, { id: userIdSchema.parse(id), password: 'eleven silver kettles' })
  await t.throwsAsync(api.server.services.apiSessions.begin(systemActor, { userId: id, amr: ['pwd'], since }), { code: 'invalid_credentials' })
})

test.serial('a token is kept nowhere but as its hash', async t => {
  const { token } = await api.signIn()
  const { rows } = await api.server.resources.database.pool.query(
    'SELECT row_to_json(s)::text AS row FROM sessions s UNION ALL SELECT row_to_json(a)::text FROM audit_events a',
  )
  t.false(rows.some(({ row }) => row.includes(token.slice(8)) || row.includes(password)))
})

test.serial('a session that is ended twice at the same moment is ended, and nobody is told that it is not there', async t => {
  for (let round = 0; round < 10; round += 1) {
    const { token } = await api.signIn()
    const replies = await Promise.all(Array.from({ length: 4 }, () => api.ask('POST /auth/logout', { token })))
    for (const { status } of replies) t.true([200, 401].includes(status), String(status))
  }
})

test.serial('a person changes their name, and null empties it', async t => {
  const { token } = await api.signIn()
  t.is((await api.ask('PATCH /users/me', { token, body: { full_name: 'Another Name' } })).status, 200)
  t.true(JSON.stringify((await api.ask('GET /users/me', { token })).data).includes('Another Name'))
  t.is((await api.ask('PATCH /users/me', { token, body: { full_name: null } })).status, 200)
  t.false(JSON.stringify((await api.ask('GET /users/me', { token })).data).includes('Another Name'))
})

test.serial('a person cannot make themselves anything else', async t => {
  const { token } = await api.signIn()
  for (const body of [{ role: 'admin' }, { isAdmin: true }, { email_verified: true }, { id: 'x' }, { suspended_at: null }])
    t.is((await api.ask('PATCH /users/me', { token, body })).status, 400, JSON.stringify(body))
})

test.serial('an update of what was changed meanwhile is refused', async t => {
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

test.serial('a new password ends every other session and keeps the caller’s', async t => {
  const mine = await api.signIn()
  const other = await api.signIn(mine)
  const body = { current_password: password, new_password: 'eleven silver kettles' }
  t.is((await api.ask('POST /users/me/password', { token: mine.token, body })).status, 200)
  t.is((await api.ask('GET /auth/me', { token: other.token })).status, 401)
  t.is((await api.ask('GET /auth/me', { token: mine.token })).status, 200)
  t.is((await api.ask('POST /auth/login', { body: { email: mine.email, password } })).status, 401)
  t.is((await api.ask('POST /auth/login', { body: { email: mine.email, password: body.new_password } })).status, 200)
})

test.serial('a wrong current password or a weak new one changes nothing', async t => {
  const { token, email } = await api.signIn()
  const wrong = await api.ask('POST /users/me/password', { token, body: { current_password: 'not the password', new_password: 'eleven silver kettles' } })
  t.deepEqual([wrong.status, wrong.error?.details.fields?.[0]?.path], [400, 'current_password'])
  const weak = await api.ask('POST /users/me/password', { token, body: { current_password: password, new_password: 'password1234' } })
  t.deepEqual([weak.status, weak.error?.details.fields?.[0]?.path], [400, 'new_password'])
  t.is((await api.ask('POST /auth/login', { body: { email, password } })).status, 200)
})

test.serial('who deletes themselves is signed out everywhere and can sign in no more', async t => {
  const { token, email } = await api.signIn()
  t.is((await api.ask('DELETE /users/me', { token })).status, 200)
  t.is((await api.ask('GET /users/me', { token })).status, 401)
  t.is((await api.ask('POST /auth/login', { body: { email, password } })).status, 401)
})

test.serial('a person sees their organizations and their role in each', async t => {
  const { token, id } = await api.signIn()
  const organization = await api.server.services.organizations.create(systemActor, { slug: 'mine-1', name: 'Mine', ownerId: id })
  const { data } = await api.ask('GET /users/me/organizations', { token })
  t.is(data.length, 1)
  t.like(data[0], { role: 'owner', organization: { id: organization.id, slug: 'mine-1', name: 'Mine' } })
})

const newPassword = 'eleven silver kettles'
const login = (body: { email: string; password: string }) => api.ask('POST /auth/login', { body: { email: body.email, password: body.password } })
const forgot = async (email: string) => {
  const reply = await api.ask('POST /auth/password/forgot', { body: { email } })
  return { reply, token: linkToken(await mailTo(api.server, email, 'Choose a new password')) }
}
const reset = (token: string, chosen = newPassword) => api.ask('POST /auth/password/reset', { body: { token, password: chosen } })

test('who registers is mailed a code and a link, and proves the address by the code in a session', async t => {
  const body = person()
  t.is((await api.ask('POST /auth/register', { body })).data.email_verified, false)
  const mail = await mailTo(api.server, body.email, 'Confirm')
  const { data } = await login(body)
  t.false(data.user.email_verified)
  const code = /^\s+(\d{6})$/m.exec(mail.text)?.[1] ?? ''
  const wrong = await api.ask('POST /auth/email/verify', { token: data.token, body: { code: code === '000000' ? '000001' : '000000' } })
  t.is(wrong.status, 400)
  t.is((await api.ask('POST /auth/email/verify', { body: { code } })).status, 401)
  t.is((await api.ask('POST /auth/email/verify', { token: (await api.signIn()).token, body: { code } })).status, 400)
  t.is((await api.ask('POST /auth/email/verify', { token: data.token, body: { code } })).status, 200)
  t.true((await api.ask('GET /auth/me', { token: data.token })).data.email_verified)
  t.is((await api.ask('POST /auth/email/verify', { token: data.token, body: { code } })).status, 400)
})

test('the token of the link proves the address once', async t => {
  const body = person()
  await api.ask('POST /auth/register', { body })
  const token = linkToken(await mailTo(api.server, body.email, 'Confirm'))
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask('POST /auth/email/verify', { body: { token } })))
  t.is(answers.filter(({ status }) => status === 200).length, 1)
  t.true((await login(body)).data.user.email_verified)
})

test('a new proof is mailed on demand, and the older one is void', async t => {
  const body = person()
  await api.ask('POST /auth/register', { body })
  const first = linkToken(await mailTo(api.server, body.email, 'Confirm'))
  t.is((await api.ask('POST /auth/email/resend', { body: { email: body.email } })).status, 202)
  const second = linkToken(await mailTo(api.server, body.email, 'Confirm', 2))
  t.not(first, second)
  t.is((await api.ask('POST /auth/email/verify', { body: { token: first } })).status, 400)
  t.is((await api.ask('POST /auth/email/verify', { body: { token: second } })).status, 200)
  t.is((await api.ask('POST /auth/email/resend', { body: { email: body.email } })).status, 202)
})

test('who forgot their password is mailed a link, sets a new one, and everything signed in before is ended', async t => {
  const { email, token: session, id } = await api.signIn()
  const { reply, token } = await forgot(email)
  t.is(reply.status, 202)
  t.is(reply.data, null)
  const { error } = await reset(token, 'short')
  t.deepEqual(
    error?.details.fields?.map(({ path }) => path),
    ['password'],
  )
  t.is((await reset(token)).status, 200)
  t.is((await reset(token)).status, 400)
  t.is((await api.ask('GET /auth/me', { token: session })).status, 401)
  t.is((await login({ email, password })).status, 401)
  t.is((await login({ email, password: newPassword })).status, 200)
  t.truthy(await mailTo(api.server, email, 'was changed'))
  const { rows } = await api.server.resources.database.pool.query("SELECT action FROM audit_events WHERE target_id = $1 AND action LIKE 'password.%'", [id])
  t.true(rows.some(({ action }) => action === 'password.reset'))
})

test('of twenty who use one link at once one sets the password', async t => {
  const { email } = await api.signIn()
  const { token } = await forgot(email)
  const chosen = Array.from({ length: 20 }, (_, index) => `eleven silver kettles ${index}`)
  const answers = await Promise.all(chosen.map(one => reset(token, one)))
  t.is(answers.filter(({ status }) => status === 200).length, 1)
  const winner = chosen[answers.findIndex(({ status }) => status === 200)] ?? ''
  t.is((await login({ email, password: winner })).status, 200)
})

test('an address that nobody proved is proven by a reset, and what was put into the account before is gone', async t => {
  const body = person()
  await api.ask('POST /auth/register', { body })
  const attacker = await login(body)
  const verification = linkToken(await mailTo(api.server, body.email, 'Confirm'))
  const { token } = await forgot(body.email)
  t.is((await reset(token)).status, 200)
  t.is((await login(body)).status, 401)
  t.is((await api.ask('GET /auth/me', { token: attacker.data.token })).status, 401)
  t.true((await login({ ...body, password: newPassword })).data.user.email_verified)
  t.is((await api.ask('POST /auth/email/verify', { body: { token: verification } })).status, 400)
})

test('somebody without a password sets one by the link', async t => {
  const { email } = person()
  await api.server.services.users.create(systemActor, { email, isEmailVerified: true })
  const { token } = await forgot(email)
  t.is((await reset(token)).status, 200)
  t.is((await login({ email, password: newPassword })).status, 200)
})

test('a link is nothing once its user is suspended, deleted, or has another address', async t => {
  const { userAdministration } = api.server.services
  const changes = [
    (id: string) => userAdministration.suspend(systemActor, userIdSchema.parse(id)),
    (id: string) => userAdministration.remove(systemActor, userIdSchema.parse(id)),
    (id: string) => userAdministration.update(systemActor, userIdSchema.parse(id), { email: `${randomUUID()}@elsewhere.example` }),
  ]
  for (const change of changes) {
    const { id, email } = await api.signIn()
    const { token } = await forgot(email)
    await change(id)
    t.is((await reset(token)).status, 400)
  }
})

test('a token of one purpose is nothing for another', async t => {
  const body = person()
  await api.ask('POST /auth/register', { body })
  const verification = linkToken(await mailTo(api.server, body.email, 'Confirm'))
  t.is((await reset(verification)).status, 400)
  const { token } = await forgot(body.email)
  t.is((await api.ask('POST /auth/email/verify', { body: { token } })).status, 400)
})

test('an address gets five mails an hour, and nobody is told when it is over', async t => {
  const { email } = await api.signIn()
  const replies: ApiReply[] = []
  for (let round = 0; round < 8; round += 1) replies.push(await api.ask('POST /auth/password/forgot', { body: { email } }))
  t.deepEqual(
    replies.map(({ status, message, data }) => ({ status, message, data })),
    replies.map(() => ({ status: 202, message: replies[0]?.message, data: null })),
  )
  await mailTo(api.server, email, 'Choose a new password', 5)
  await new Promise(resolve => setTimeout(resolve, 500))
  t.is((await api.server.mailsTo(email)).length, 5)
})

test('tokens, codes and passwords stand in no audit row and in no job', async t => {
  const { email } = await api.signIn()
  const { token } = await forgot(email)
  await reset(token)
  const { rows } = await api.server.resources.database.pool.query(
    'SELECT row_to_json(a)::text AS row FROM audit_events a UNION ALL SELECT row_to_json(j)::text FROM jobs j UNION ALL SELECT row_to_json(c)::text FROM challenges c',
  )
  t.true(rows.length > 0)
  t.false(rows.some(({ row }) => row.includes(token) || row.includes(newPassword)))
})
