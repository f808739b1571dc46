// Whoever has two factors enters the account centre, and changes what guards the account, by both.
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { password, startApi, type TestApi } from '../support/api.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { asksFor, enterPassword, go, scan } from '../support/factor-journeys.ts'
import { codeOf, enrolTotp } from '../support/factors.ts'
import { addPasskey, optionsOf, sendPasskey } from '../support/passkey-journeys.ts'
import { createPerson, type Person } from '../support/person.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const open = async (person: Person, path: string) => person.follow(await person.get(new URL(path, api.server.issuer)), 'nowhere:')
const factorsOf = (id: string) => api.server.services.authenticators.list(id)

/** Somebody in the account centre, signed in by the password alone. */
const visitor = async (t: ExecutionContext) => {
  const user = await makeUser(api.server, { password })
  const person = createPerson()
  const page = await enterPassword(person, await open(person, '/account/security'), user)
  t.is(page.url.pathname, '/account/security')
  return { user, person }
}

for (const path of ['/account/profile', '/account/password', '/account/security', '/account/authenticator', '/account/sessions', '/account/data'])
  test(`${path} is not reached by one factor where the account has two, however fresh the sign-in is`, async t => {
    const { user, person } = await visitor(t)
    const factor = await enrolTotp(api.server, user)
    const asked = await open(person, path)
    t.is(asksFor(asked), 'second-factor')
    t.is((await go(person, asked, { code: await factor.code() })).url.pathname, path)
  })

for (const path of ['/account/profile', '/account/password', '/account/security', '/account/authenticator'])
  test(`${path} is not reached by the password alone where the account has a passkey, and is by both`, async t => {
    const { user, person } = await visitor(t)
    const authenticator = await addPasskey(api.server, user)
    for (const browser of [person, createPerson()]) {
      const asked = await open(browser, path)
      const page = browser === person ? asked : await enterPassword(browser, asked, user)
      t.is(asksFor(page), 'second-factor')
      t.false(page.body.includes('name="code"'))
      const { options } = await optionsOf(browser, page)
      const back = await browser.follow(await sendPasskey(browser, page, authenticator.get(options)), 'nowhere:')
      t.is(back.url.pathname, path)
    }
  })

test('a form that was opened before the second factor was there takes nothing away', async t => {
  const { user, person } = await visitor(t)
  const page = await open(person, '/account/profile')
  const { factorId } = await enrolTotp(api.server, user)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const answer = await person.post(new URL('/account/security', page.url), { csrf, remove: factorId })
  t.is(answer.location?.pathname, '/oauth2/authorize')
  t.is((await factorsOf(user.id)).length, 1)
})

test('who enrols an app in the account centre proved it there, and is not asked for it again', async t => {
  const { user, person } = await visitor(t)
  const enrolment = await open(person, '/account/authenticator')
  await person.submit(enrolment, { code: codeOf(scan(enrolment)) })
  const list = await open(person, '/account/security')
  t.is(list.url.pathname, '/account/security')
  const [factor] = await factorsOf(user.id)
  t.is((await person.submit(list, { remove: factor?.id ?? '' })).status, 303)
  t.deepEqual(await factorsOf(user.id), [])
  t.is((await open(person, '/account/security')).url.pathname, '/account/security')
})

test('a session of the API with one factor changes nothing that guards an account with two, however fresh it is', async t => {
  const { id, token } = await api.signIn()
  const factor = await enrolTotp(api.server, { id })
  const operations = ['POST /users/me/factors', `DELETE /users/me/factors/${factor.factorId}`, 'POST /users/me/recovery-codes']
  for (const operation of operations)
    t.is((await api.ask(operation, { token, body: operation.endsWith('factors') ? { kind: 'totp' } : undefined })).status, 403, operation)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 400)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'totp', code: await factor.code() } })).status, 200)
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
})

test('who enrols an app over the API proved it there, and makes recovery codes at once', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/factors', { token, body: { kind: 'totp' } })
  t.is((await api.ask(`POST /users/me/factors/${data.factor.id}/confirm`, { token, body: { code: codeOf(data.uri) } })).status, 200)
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
  const [session] = (await api.ask('GET /auth/sessions', { token })).data
  t.deepEqual(session.amr, ['pwd', 'otp', 'mfa'])
})

test('a session of the API with the password alone changes nothing that guards an account with a passkey', async t => {
  const { id, token } = await api.signIn()
  await addPasskey(api.server, { id })
  const [{ id: factorId } = { id: '' }] = await factorsOf(id)
  const again = await api.signIn({ email: (await api.ask('GET /users/me', { token })).data.email })
  const operations = [
    'POST /users/me/factors',
    `POST /users/me/factors/${randomUUID()}/confirm`,
    `DELETE /users/me/factors/${factorId}`,
    'POST /users/me/recovery-codes',
    'POST /users/me/passkeys/options',
    `DELETE /users/me/passkeys/${factorId}`,
  ]
  const bodyOf = (operation: string) => (operation.endsWith('/factors') ? { kind: 'totp' } : operation.endsWith('/confirm') ? { code: '123456' } : undefined)
  for (const one of [token, again.token])
    for (const operation of operations) {
      const refused = await api.ask(operation, { token: one, body: bodyOf(operation) })
      t.is(refused.status, 403, operation)
      t.regex(refused.message, /^Prove once more who you are.* A passkey is proven on the sign-in pages alone\.$/, operation)
    }
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 403)
  t.is((await factorsOf(id)).length, 1)
})

test('a passkey is not kept in a session that meanwhile lacks the factor its person added', async t => {
  const { id, token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/passkeys/options', { token })
  await enrolTotp(api.server, { id })
  const response = createAuthenticator(api.server.issuer).create(data)
  t.is((await api.ask('POST /users/me/passkeys', { token, body: { response } })).status, 403)
})

test('who makes a passkey proved it there, and their session says so until it is removed', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/passkeys/options', { token })
  const response = createAuthenticator(api.server.issuer).create(data)
  const made = await api.ask('POST /users/me/passkeys', { token, body: { response } })
  const amr = async () => (await api.ask('GET /auth/sessions', { token })).data[0].amr
  t.deepEqual(await amr(), ['pwd', 'hwk', 'user', 'mfa'])
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
  t.is((await api.ask(`DELETE /users/me/passkeys/${made.data.id}`, { token })).status, 200)
  t.deepEqual(await amr(), ['pwd'])
})
