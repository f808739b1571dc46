// Proving an address and choosing a new password over the API.
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
