// Factors on the API: enrolled, asked for at the sign-in, and taken away only with a fresh proof.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { type Envelope, password, startApi, type TestApi } from '../support/api.ts'
import { codeOf, enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { addPasskey } from '../support/passkey-journeys.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const query = (text: string, values: unknown[]) => api.server.resources.database.pool.query(text, values)
const age = (sessionId: string) => query("UPDATE sessions SET proven_at = now() - interval '6 minutes' WHERE id = $1", [sessionId])
const logIn = (email: string) => api.ask('POST /auth/login', { body: { email, password } })
const mfa = (body: Record<string, string>) => api.ask('POST /auth/mfa', { body })
const messageOf = ({ message }: Envelope) => message

test('an app is enrolled and confirmed, and listed without its seed', async t => {
  const { token } = await api.signIn()
  const { status, data } = await api.ask('POST /users/me/factors', { token, body: { kind: 'totp', name: 'My phone' } })
  t.is(status, 201)
  t.true(data.uri.startsWith('otpauth://totp/'))
  t.regex(data.qr_svg, /^<svg /)
  t.deepEqual((await api.ask('GET /users/me/factors', { token })).data, [])
  t.is((await api.ask(`POST /users/me/factors/${data.factor.id}/confirm`, { token, body: { code: wrongCodeOf(data.uri) } })).status, 400)
  const confirmed = await api.ask(`POST /users/me/factors/${data.factor.id}/confirm`, { token, body: { code: codeOf(data.uri) } })
  t.like(confirmed.data, { kind: 'totp', name: 'My phone', confirmed: true })
  const listed = await api.ask('GET /users/me/factors', { token })
  t.deepEqual(listed.data, [confirmed.data])
  t.false(JSON.stringify(listed).includes(data.secret.replaceAll(' ', '')))
})

test('signing in gives a ticket and no token, and the code gives what signing in gives, with its amr', async t => {
  const person = await api.signIn()
  const factor = await enrolTotp(api.server, person)
  const asked = await logIn(person.email)
  t.is(asked.status, 200)
  t.like(asked.data, { mfa_required: true, factors: ['totp'] })
  t.is(asked.data.token, undefined)
  const done = await mfa({ ticket: asked.data.ticket, factor: 'totp', code: await factor.code() })
  t.is(done.status, 200)
  t.deepEqual(done.data.session.amr, ['pwd', 'otp', 'mfa'])
  t.is((await api.ask('GET /auth/me', { token: done.data.token })).data.id, person.id)
  t.is((await mfa({ ticket: asked.data.ticket, factor: 'totp', code: await factor.code() })).status, 401)
})

test('a ticket is good for five tries, five minutes, one user and one password', async t => {
  const person = await api.signIn()
  const factor = await enrolTotp(api.server, person)
  const ticketOf = async () => String((await logIn(person.email)).data.ticket)
  const [used, old, other] = [await ticketOf(), await ticketOf(), await ticketOf()]
  for (let count = 0; count < 4; count += 1) t.is((await mfa({ ticket: used, factor: 'recovery_code', code: 'nothing' })).status, 401)
  t.is((await mfa({ ticket: `${used}x`, factor: 'totp', code: await factor.code() })).status, 401)
  await mfa({ ticket: used, factor: 'recovery_code', code: 'nothing' })
  t.is(messageOf(await mfa({ ticket: used, factor: 'totp', code: await factor.code() })), 'This sign-in took too long. Begin it again.')
  await query("UPDATE sign_in_tickets SET expires_at = now() - interval '1 second' WHERE user_id = $1 AND used_at IS NULL AND attempts_left = 5", [person.id])
  t.is((await mfa({ ticket: old, factor: 'totp', code: await factor.code() })).status, 401)
  await query("UPDATE sign_in_tickets SET expires_at = now() + interval '1 minute' WHERE user_id = $1", [person.id])
  await query("UPDATE users SET access_ended_at = now() + interval '1 second' WHERE id = $1", [person.id])
  t.is((await mfa({ ticket: other, factor: 'totp', code: await factor.code() })).status, 401)
})

test('of many who use one ticket at once one is let in', async t => {
  const person = await api.signIn()
  await enrolTotp(api.server, person)
  const codes = await api.server.services.recoveryCodes.issue({ kind: 'system', permissions: new Set() }, person.id)
  const { ticket } = (await logIn(person.email)).data
  const tries = await Promise.all(codes.slice(0, 5).map(code => mfa({ ticket, factor: 'recovery_code', code })))
  t.is(tries.filter(({ status }) => status === 200).length, 1)
})

test('what adds or takes away a factor needs a proof of the last five minutes', async t => {
  const { id, token, sessionId } = await api.signIn()
  const factor = await enrolTotp(api.server, { id })
  const changes = ['POST /users/me/factors', `DELETE /users/me/factors/${factor.factorId}`, 'POST /users/me/recovery-codes']
  const ask = (operation: string) => api.ask(operation, { token, body: operation.includes('POST /users/me/factors') ? { kind: 'totp' } : undefined })
  await age(sessionId)
  for (const operation of changes) {
    const refused = await ask(operation)
    t.is(refused.status, 403, operation)
    t.regex(messageOf(refused), /^Prove once more/)
  }
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 400, 'a password does not take a factor away')
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'totp', code: wrongCodeOf(factor.uri) } })).status, 401)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'totp', code: await factor.code() } })).status, 200)
  t.is((await ask('POST /users/me/recovery-codes')).data.codes.length, 10)
  t.is((await api.ask('GET /users/me/recovery-codes', { token })).data.left, 10)
  t.is((await ask(`DELETE /users/me/factors/${factor.factorId}`)).status, 200)
  const [session] = (await api.ask('GET /auth/sessions', { token })).data
  t.deepEqual(session.amr, ['pwd'], 'what the removed factor proved counts no more')
})

test('whoever has no factor proves themselves again by the password', async t => {
  const { token, sessionId } = await api.signIn()
  await age(sessionId)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password: 'not the password' } })).status, 401)
  t.is((await api.ask('POST /users/me/factors', { token, body: { kind: 'totp' } })).status, 403)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 200)
  t.is((await api.ask('POST /users/me/factors', { token, body: { kind: 'totp' } })).status, 201)
})

test('an administrator sees and removes a lost factor, and nobody removes one of somebody else', async t => {
  const [person, root, stranger] = [await api.signIn(), await api.signIn(), await api.signIn()]
  await query("UPDATE users SET system_role = 'admin' WHERE id = $1", [root.id])
  const { factorId } = await enrolTotp(api.server, person)
  t.is((await api.ask(`DELETE /users/me/factors/${factorId}`, { token: stranger.token })).status, 404)
  t.is((await api.ask(`GET /users/${person.id}/factors`, { token: root.token })).data[0].id, factorId)
  t.is((await api.ask(`DELETE /users/${person.id}/factors/${factorId}`, { token: root.token })).status, 200)
  const { rows } = await query("SELECT actor_id, target FROM audit_events WHERE action = 'authenticator.removed' AND target_id = $1", [factorId])
  t.like(rows[0], { actor_id: root.id, target: { user_id: person.id } })
  t.is((await logIn(person.email)).data.mfa_required, undefined)
})

test('who must have a factor and has none is given no session of the API', async t => {
  const owner = await api.signIn()
  const { data } = await api.ask('POST /organizations', { token: owner.token, body: { name: 'Careful' } })
  t.false(data.mfa_required)
  await api.server.services.organizations.update(systemActor, data.id, { isMfaRequired: true })
  const refused = await logIn(owner.email)
  t.is(refused.status, 403)
  const factor = await enrolTotp(api.server, owner)
  const { ticket } = (await logIn(owner.email)).data
  t.is((await mfa({ ticket, factor: 'totp', code: await factor.code() })).status, 200)
})

test('a passkey asks nobody at the API, and where a factor must be a recovery code stands in for it', async t => {
  const owner = await api.signIn()
  await addPasskey(api.server, owner)
  const codes = await api.server.services.recoveryCodes.issue(systemActor, owner.id)
  t.deepEqual((await logIn(owner.email)).data.session.amr, ['pwd'])
  const { id } = await api.server.services.organizations.create(systemActor, { name: 'Careful', ownerId: owner.id as never })
  await api.server.services.organizations.update(systemActor, id, { isMfaRequired: true })
  const { ticket, factors } = (await logIn(owner.email)).data
  t.deepEqual(factors, ['recovery_code'])
  t.is((await mfa({ ticket, factor: 'recovery_code', code: codes[0] ?? '' })).status, 200)
  await query('DELETE FROM recovery_codes WHERE user_id = $1', [owner.id])
  const refused = await logIn(owner.email)
  t.is(refused.status, 403)
  t.regex(messageOf(refused), /with your passkey\.$/)
})
