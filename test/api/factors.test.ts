// Second factors and passkeys over the API: enrolled, asked for, removed, and required by organizations.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { type Envelope, makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { makeClient } from '../support/clients.ts'
import { enterPassword, go, open } from '../support/factor-journeys.ts'
import { codeOf, enrolTotp, wrongCodeOf } from '../support/factors.ts'
import { addPasskey } from '../support/passkey-journeys.ts'
import { createPerson, type Person } from '../support/person.ts'
import { makeUser } from '../support/users.ts'

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

test('an account is read out and deleted by whoever just proved themselves by all they have, and its password changed by all they have', async t => {
  const person = await api.signIn()
  const { token } = person
  const taking = ['GET /users/me/export', 'DELETE /users/me']
  const change = (newPassword: string, currentPassword: string) =>
    api.ask('POST /users/me/password', { token, body: { current_password: currentPassword, new_password: newPassword } })
  await age(person.sessionId)
  for (const operation of taking) t.regex(messageOf(await api.ask(operation, { token })), /last proof is too old/, operation)
  t.is((await change('nine copper lanterns', password)).status, 200, 'the current password is proof enough')
  const factor = await enrolTotp(api.server, person)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'totp', code: await factor.code() } })).status, 200)
  await query("UPDATE sessions SET amr = '{pwd}' WHERE id = $1", [person.sessionId])
  for (const operation of taking) t.is((await api.ask(operation, { token })).status, 403, operation)
  t.is((await change('ten copper lanterns', 'nine copper lanterns')).status, 403, 'a second factor is missing')
  await query("UPDATE sessions SET amr = '{pwd,otp,mfa}' WHERE id = $1", [person.sessionId])
  t.is((await change('ten copper lanterns', 'nine copper lanterns')).status, 200)
  for (const operation of taking) t.is((await api.ask(operation, { token })).status, 200, operation)
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

test('of whom the system requires a factor, who has none is given no session, and for a passkey a recovery code stands in', async t => {
  const strict = await startApi({ MFA_REQUIRED: 'always' })
  t.teardown(() => strict.close())
  const enter = (email: string) => strict.ask('POST /auth/login', { body: { email, password } })
  const prove = (body: Record<string, string>) => strict.ask('POST /auth/mfa', { body })
  const [bare, holder] = [await makeUser(strict.server, { password }), await makeUser(strict.server, { password })]
  t.is((await enter(bare.email)).status, 403)
  const factor = await enrolTotp(strict.server, bare)
  const asked = await enter(bare.email)
  t.is((await prove({ ticket: asked.data.ticket, factor: 'totp', code: await factor.code() })).status, 200)
  await addPasskey(strict.server, holder)
  const codes = await strict.server.services.recoveryCodes.issue(systemActor, holder.id)
  const { ticket, factors } = (await enter(holder.email)).data
  t.deepEqual(factors, ['recovery_code'])
  t.is((await prove({ ticket, factor: 'recovery_code', code: codes[0] ?? '' })).status, 200)
  await strict.server.resources.database.pool.query('DELETE FROM recovery_codes WHERE user_id = $1', [holder.id])
  const refused = await enter(holder.email)
  t.is(refused.status, 403)
  t.regex(messageOf(refused), /with your passkey\.$/)
})

test('a passkey asks nobody at the API; within an organization that requires a factor a recovery code proves it in the session', async t => {
  const owner = await api.signIn()
  await addPasskey(api.server, owner)
  const codes = await api.server.services.recoveryCodes.issue(systemActor, owner.id)
  const { id } = await api.server.services.organizations.create(systemActor, { name: 'Careful', ownerId: owner.id as never })
  await api.server.services.organizations.update(systemActor, id, { isMfaRequired: true })
  const { token, session } = (await logIn(owner.email)).data
  t.deepEqual(session.amr, ['pwd'])
  t.is((await api.ask(`GET /organizations/${id}/members`, { token })).status, 403)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'recovery_code', code: codes[0] ?? '' } })).status, 200)
  t.is((await api.ask(`GET /organizations/${id}/members`, { token })).status, 200)
})

const own = '/users/me/passkeys'

/** Somebody who is signed in, and what the API answered when they made a passkey. */
const enrolled = async (body: object = {}) => {
  const person = await api.signIn()
  const authenticator = createAuthenticator(api.server.issuer)
  const options = await api.ask(`POST ${own}/options`, { token: person.token })
  const response = authenticator.create(options.data)
  const reply = await api.ask(`POST ${own}`, { token: person.token, body: { response, ...body } })
  return { ...person, authenticator, options, response, reply }
}

test('a passkey is made in two steps and listed', async t => {
  const { token, options, reply } = await enrolled({ name: ' My key ' })
  t.is(options.status, 200)
  t.deepEqual(Object.keys(options.data).toSorted(), [
    'attestation',
    'authenticatorSelection',
    'challenge',
    'excludeCredentials',
    'pubKeyCredParams',
    'rp',
    'timeout',
    'user',
  ])
  t.is(reply.status, 201)
  t.like(reply.data, { name: 'My key', is_synced: false, last_used_at: null, aaguid: '00000000-0000-0000-0000-000000000000' })
  t.deepEqual(Object.keys(reply.data).toSorted(), ['aaguid', 'created_at', 'id', 'is_synced', 'last_used_at', 'name', 'updated_at'])
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [reply.data])
})

test('what browsers add to their JSON is no error, and what we do not know of the body is one', async t => {
  const { token, authenticator } = await enrolled()
  const { data } = await api.ask(`POST ${own}/options`, { token })
  const made = authenticator.create(data)
  const response = {
    ...made,
    authenticatorAttachment: 'platform',
    clientExtensionResults: { credProps: { rk: true } },
    later: 1,
    response: { ...made.response, publicKeyAlgorithm: -7, publicKey: 'AAAA', authenticatorData: 'AAAA', later: 1 },
  }
  t.is((await api.ask(`POST ${own}`, { token, body: { response, user_id: 'x' } })).status, 400)
  t.is((await api.ask(`POST ${own}`, { token, body: { response } })).status, 201)
})

test('a passkey is renamed by whoever read it last, and removed', async t => {
  const { token, reply } = await enrolled()
  const one = `${own}/${reply.data.id}`
  const renamed = await api.ask(`PATCH ${one}`, { token, body: { name: 'Laptop' }, headers: { 'if-match': String(reply.headers.etag) } })
  t.deepEqual([renamed.status, renamed.data.name], [200, 'Laptop'])
  const late = await api.ask(`PATCH ${one}`, { token, body: { name: 'Phone' }, headers: { 'if-match': String(reply.headers.etag) } })
  t.is(late.status, 412)
  t.is((await api.ask(`DELETE ${one}`, { token })).status, 200)
  t.is((await api.ask(`DELETE ${one}`, { token })).status, 404)
  t.is((await api.ask(`PATCH ${one}`, { token, body: { name: 'Gone' } })).status, 404)
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [])
})

test('nobody reaches the passkey of another', async t => {
  const { reply } = await enrolled()
  const { token } = await api.signIn()
  t.is((await api.ask(`PATCH ${own}/${reply.data.id}`, { token, body: { name: 'Mine' } })).status, 404)
  t.is((await api.ask(`DELETE ${own}/${reply.data.id}`, { token })).status, 404)
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [])
})

test('options are good for the session that asked, and once', async t => {
  const mine = await api.signIn()
  const again = await api.signIn(mine)
  const authenticator = createAuthenticator(api.server.issuer)
  const { data } = await api.ask(`POST ${own}/options`, { token: mine.token })
  const response = authenticator.create(data)
  const elsewhere = await api.ask(`POST ${own}`, { token: again.token, body: { response } })
  t.deepEqual([elsewhere.status, elsewhere.error?.details.fields?.[0]?.path], [400, 'response'])
  t.is((await api.ask(`POST ${own}`, { token: mine.token, body: { response } })).status, 201)
  t.is((await api.ask(`POST ${own}`, { token: mine.token, body: { response } })).status, 400)
})

test('a credential that somebody has is a conflict', async t => {
  const { response } = await enrolled()
  const { token } = await api.signIn()
  const { data } = await api.ask(`POST ${own}/options`, { token })
  const copy = createAuthenticator(api.server.issuer).create(data, { credentialId: response.id })
  const reply = await api.ask(`POST ${own}`, { token, body: { response: copy } })
  t.deepEqual([reply.status, reply.error?.type], [409, 'CONFLICT'])
})

test('names and bodies are bounded', async t => {
  const { token, reply, response } = await enrolled()
  for (const name of ['', '  ', 'x'.repeat(101), null, 5])
    t.is((await api.ask(`PATCH ${own}/${reply.data.id}`, { token, body: { name } })).status, 400, JSON.stringify(name))
  const bodies = [
    {},
    { response: null },
    { response: 'text' },
    { response: { ...response, id: 'x'.repeat(1365) } },
    { response: { ...response, type: 'password' } },
    { response: { ...response, response: { ...response.response, attestationObject: 'x'.repeat(16_385) } } },
    { response: { ...response, response: { ...response.response, clientDataJSON: 'a+b/' } } },
    { response: { ...response, response: { ...response.response, transports: Array<string>(11).fill('usb') } } },
  ]
  for (const body of bodies) t.is((await api.ask(`POST ${own}`, { token, body })).status, 400, JSON.stringify(body).slice(0, 100))
})

test('a new password leaves passkeys as they are', async t => {
  const { token } = await enrolled()
  const body = { current_password: password, new_password: 'eleven silver kettles' }
  t.is((await api.ask('POST /users/me/password', { token, body })).status, 200)
  t.is((await api.ask(`GET ${own}`, { token })).data.length, 1)
})

const needsTwo = /^This needs a session with two factors/
const switchOn = (id: string) => api.server.services.organizations.update(systemActor, id as never, { isMfaRequired: true })

/** An organization whose owner signed in by password before it required a factor. */
const begin = async () => {
  const owner = await api.signIn()
  const { id } = await api.server.services.organizations.create(systemActor, { name: `Careful ${randomUUID()}`, ownerId: owner.id })
  return { owner, id, at: `/organizations/${id}`, factor: await enrolTotp(api.server, owner) }
}
const prove = async ({ owner, factor }: Awaited<ReturnType<typeof begin>>) =>
  api.ask('POST /auth/reauthenticate', { token: owner.token, body: { factor: 'totp', code: await factor.code() } })

test('a session of one factor from before the switch reaches nothing within the organization, and one of two does', async t => {
  const place = await begin()
  const { owner, id, at } = place
  await switchOn(id)
  const operations = api.server.app.api.routes.filter(
    ({ within, method, path }) => within === 'organization' && !(method === 'DELETE' && path.endsWith('/:userId')),
  )
  t.true(operations.length > 20)
  for (const { method, path } of operations) {
    const reply = await api.ask(`${method} ${path.replace(':id', id).replaceAll(/:\w+/g, () => randomUUID())}`, { token: owner.token })
    t.is(reply.status, 403, `${method} ${path}`)
    t.is(reply.error?.type, 'FORBIDDEN')
    t.regex(reply.message, needsTwo, `${method} ${path}`)
  }
  for (const operation of [`GET /api-keys?organization_id=${id}`, `DELETE ${at}/members/${randomUUID()}`])
    t.regex((await api.ask(operation, { token: owner.token })).message, needsTwo, operation)
  t.is((await prove(place)).status, 200)
  t.is((await api.ask(`GET ${at}`, { token: owner.token })).status, 200)
  t.is((await api.ask(`PATCH ${at}`, { token: owner.token, body: { name: 'Renamed' } })).status, 200)
})

test('other organizations, the list of one’s own and leaving stay open', async t => {
  const place = await begin()
  const easy = await api.server.services.organizations.create(systemActor, { name: 'Easy', ownerId: place.owner.id })
  const member = await api.signIn()
  await api.server.services.members.add(systemActor, { organizationId: place.id, userId: member.id, role: 'member' })
  await switchOn(place.id)
  t.is((await api.ask(`GET /organizations/${easy.id}`, { token: place.owner.token })).status, 200)
  const ids = (await api.ask('GET /organizations', { token: place.owner.token })).data.map((one: { id: string }) => one.id)
  t.deepEqual(ids.toSorted(), [easy.id, place.id].toSorted())
  t.is((await api.ask('GET /users/me/organizations', { token: member.token })).data.length, 1)
  t.is((await api.ask(`GET ${place.at}`, { token: member.token })).status, 403)
  t.is((await api.ask(`DELETE ${place.at}/members/${member.id}`, { token: member.token })).status, 200)
})

test('keys and clients for themselves, and administrators of the system who are no members, pass', async t => {
  const { id, at } = await begin()
  const root = await makeAdmin(api)
  await switchOn(id)
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Key', permissions: ['organizations:read'], organizationId: id })
  const machine = await makeClient(api.server, { organizationId: id, apiPermissions: ['organizations:read'], grantTypes: ['client_credentials'] })
  const { access_token } = await client.clientCredentialsGrant(machine.configuration, { scope: 'organizations:read', resource: `${api.server.issuer}/api/v1` })
  for (const token of [key, access_token, root]) t.is((await api.ask(`GET ${at}`, { token })).status, 200)
})

const browser = ({ cookies }: Person) => ({
  'sec-fetch-site': 'same-origin',
  cookie: [...cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '),
})

test('a browser’s session and an app’s token count by what was proven in the sign-in', async t => {
  const place = await begin()
  const app = await makeClient(api.server)
  const resource = `${api.server.issuer}/api/v1`
  const parameters = { scope: 'openid organizations:read', resource }
  const person = createPerson()
  const weak = await open(person, app, parameters)
  const page = await enterPassword(person, weak.page, { ...place.owner, password: 'a long enough password' })
  const back = await go(person, page, { code: await place.factor.code() })
  const strong = await client.authorizationCodeGrant(app.configuration, back.location as URL, weak.checks, { resource })
  const member = await api.signIn()
  await api.server.services.members.add(systemActor, { organizationId: place.id, userId: member.id, role: 'member' })
  const other = createPerson()
  const asked = await open(other, app, parameters)
  const landed = await enterPassword(other, asked.page, { ...member, password: 'a long enough password' })
  const single = await client.authorizationCodeGrant(app.configuration, landed.location as URL, asked.checks, { resource })
  await switchOn(place.id)
  t.is((await api.ask(`GET ${place.at}`, { token: strong.access_token })).status, 200)
  t.is((await api.ask(`GET ${place.at}`, { headers: browser(person) })).status, 200)
  for (const caller of [{ token: single.access_token }, { headers: browser(other) }]) t.regex((await api.ask(`GET ${place.at}`, caller)).message, needsTwo)
  t.is((await api.ask('GET /organizations', { token: single.access_token })).status, 403, 'an app sees none')
})

test('nobody requires a factor of others in a session without one, and whoever proved theirs does', async t => {
  const place = await begin()
  const root = await makeAdmin(api)
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Key', permissions: ['organizations:write'], organizationId: place.id })
  const body = { mfa_required: true }
  for (const token of [place.owner.token, root])
    for (const path of ['', '/settings']) {
      const reply = await api.ask(`PATCH ${place.at}${path}`, { token, body })
      t.is(reply.status, 403)
      t.regex(reply.message, needsTwo)
    }
  t.is((await api.ask(`PATCH ${place.at}`, { token: key, body })).status, 200)
  t.is((await prove(place)).status, 200)
  t.is((await api.ask(`PATCH ${place.at}/settings`, { token: place.owner.token, body: { mfa_required: false } })).status, 200)
  t.is((await api.ask(`PATCH ${place.at}/settings`, { token: place.owner.token, body })).status, 200)
  t.is((await api.ask(`GET ${place.at}`, { token: place.owner.token })).data.mfa_required, true)
})

test('no stranger shuts somebody out by an organization that requires what they lack', async t => {
  const [stranger, victim] = [await api.signIn(), await api.signIn()]
  const { data: organization } = await api.ask('POST /organizations', { token: stranger.token, body: { name: 'Trap' } })
  const added = await api.ask(`POST /organizations/${organization.id}/members`, { token: stranger.token, body: { user_id: victim.id, role: 'member' } })
  t.is(added.status, 201)
  await api.server.services.organizations.update(systemActor, organization.id, { isMfaRequired: true })
  const { status, data } = await logIn(victim.email)
  t.is(status, 200)
  t.is((await api.ask('GET /users/me', { token: data.token })).status, 200)
  const inside = await api.ask(`GET /organizations/${organization.id}/members`, { token: data.token })
  t.is(inside.status, 403, 'within it nothing goes without one')
})
