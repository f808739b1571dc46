// Connecting a device without a browser of its own (RFC 8628), through the real pages.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { alice, bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const makeDevice = (made: Parameters<typeof makeClient>[1] = {}) =>
  makeClient(server, { authenticationMethod: 'none', grantTypes: [grantType, 'refresh_token'], ...made })
const begin = ({ configuration }: TestClient, scope = 'openid email', more: Record<string, string> = {}) =>
  client.initiateDeviceAuthorization(configuration, { scope, ...more })
const poll = ({ configuration }: TestClient, { device_code }: { device_code: string }) => client.genericGrantRequest(configuration, grantType, { device_code })
/** Types the code in; answers the page that asks whether it is one's own device. */
const typeCode = async (person: Person, userCode: string) => person.submit(await person.get(`${server.issuer}/device`), { user_code: userCode })
/** Says that it is one's own device; answers the page after that. */
const confirm = async (person: Person, userCode: string) => person.follow(await person.press(await typeCode(person, userCode), 'name="confirm"'), 'none:')
/** Goes on to the last page. */
const answer = async (person: Person, first: Answer, who: { email: string; password: string }) => {
  let page = first
  const asked: Record<string, string>[] = [{ username: who.email }, { password: who.password }, { decision: 'allow' }]
  for (const answers of asked)
    if (page.body.includes(`name="${Object.keys(answers)[0]}"`)) page = await person.follow(await person.submit(page, answers), 'none:')
  return page
}
/** Goes all the way to the last page. */
const connect = async (person: Person, userCode: string, who: { email: string; password: string }) => answer(person, await confirm(person, userCode), who)

for (const isFirstParty of [true, false])
  test(`a person types the code, confirms, signs in${isFirstParty ? '' : ', consents'}, and the device has its tokens`, async t => {
    const device = await makeDevice({ isFirstParty })
    const started = await begin(device)
    t.is(started.verification_uri, `${server.issuer}/device`)
    t.regex(started.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
    t.is(await refusal(poll(device, started)), 'authorization_pending')

    const done = await connect(createPerson(), started.user_code, bob)
    t.is(done.status, 200)
    const tokens = await client.pollDeviceAuthorizationGrant(device.configuration, { ...started, interval: 1 })
    const told = await client.fetchUserInfo(device.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
    t.is(told.email, bob.email)
    t.is(await refusal(poll(device, started)), 'invalid_grant')
  })

test('a code is taken without its hyphen, in small letters and with spaces', async t => {
  const device = await makeDevice()
  const { user_code } = await begin(device)
  for (const typed of [user_code.replace('-', ''), user_code.toLowerCase(), ` ${user_code.replace('-', ' ')} `]) {
    const page = await typeCode(createPerson(), typed)
    t.is(page.status, 200, typed)
    t.true(page.body.includes(user_code) && page.body.includes('name="confirm"'), typed)
  }
})

test('the complete address leads to the same question, not past it', async t => {
  const device = await makeDevice()
  const { verification_uri_complete = '' } = await begin(device)
  const person = createPerson()
  const page = await person.press(await person.get(verification_uri_complete), 'name="user_code"')
  t.true(page.body.includes('name="confirm"'))
})

test('a person who says it is not their device ends the attempt', async t => {
  const device = await makeDevice()
  const started = await begin(device)
  const person = createPerson()
  await person.press(await typeCode(person, started.user_code), 'name="abort"')
  t.is(await refusal(poll(device, started)), 'access_denied')
})

test('a person who denies consent ends the attempt', async t => {
  const device = await makeDevice({ isFirstParty: false })
  const started = await begin(device)
  const person = createPerson()
  let page = await person.follow(await person.press(await typeCode(person, started.user_code), 'name="confirm"'), 'none:')
  const asked: Record<string, string>[] = [{ username: bob.email }, { password: bob.password }, { decision: 'deny' }]
  for (const answers of asked) page = await person.follow(await person.submit(page, answers), 'none:')
  t.is(await refusal(poll(device, started)), 'access_denied')
})

test('a device that asks for one person is not connected to another who is signed in', async t => {
  const device = await makeDevice({ grantTypes: [grantType, 'authorization_code'] })
  const { tokens } = await device.signIn({ who: alice })
  const started = await begin(device, 'openid', { id_token_hint: tokens.id_token ?? '' })
  const { person } = await device.signIn()
  const page = await confirm(person, started.user_code)
  t.true(page.body.includes('name="username"'))
})

for (const [how, parameters, metadata] of [
  ['max_age=0', { max_age: '0' }, {}],
  ['max_age=1', { max_age: '1' }, {}],
  ['default_max_age 0', {}, { default_max_age: 0 }],
] as const)
  test(`a device that asks for a fresh sign-in by ${how} is connected after one, and not before`, async t => {
    const device = await makeDevice({ metadata })
    const { person } = await (await makeClient(server)).signIn()
    await sleep(2100)
    const started = await begin(device, 'openid', parameters)
    const begun = Math.floor(Date.now() / 1000)
    const page = await confirm(person, started.user_code)
    t.true(page.body.includes('name="username"'))
    await answer(person, page, bob)
    t.true(Number((await poll(device, started)).claims()?.auth_time) >= begun)
  })

test('an unknown code is told on the page, which asks again', async t => {
  for (const typed of ['BBBB-BBBB', 'x', '\'"><script>', '✓'.repeat(300)]) {
    const page = await typeCode(createPerson(), typed)
    t.is(page.status, 200, typed)
    t.true(page.body.includes('aria-invalid="true"'), typed)
    t.false(page.body.includes('<script>'), typed)
  }
})

test('a code that was used once cannot be used again', async t => {
  const device = await makeDevice()
  const started = await begin(device)
  await connect(createPerson(), started.user_code, await makeUser(server))
  const again = await typeCode(createPerson(), started.user_code)
  t.true(again.body.includes('aria-invalid="true"'))
  t.false(again.body.includes('name="confirm"'))
})

test('typing a code cannot be forged by another site', async t => {
  const device = await makeDevice()
  const started = await begin(device)
  const person = createPerson()
  await person.get(`${server.issuer}/device`)
  const forged = await person.post(new URL(`${server.issuer}/device`), { xsrf: 'forged', user_code: started.user_code, confirm: 'yes' })
  t.false(forged.body.includes('name="confirm"'))
  t.is(forged.location, undefined)
})

test('a client that is not registered for it gets no device code', async t => {
  const relyingParty = await makeClient(server)
  t.is(await refusal(begin(relyingParty)), 'unauthorized_client')
})

test('with two tabs at the device page either takes a code, also after a mistake and after the other', async t => {
  const device = await makeDevice()
  const [one, other] = [await begin(device), await begin(device)]
  const person = createPerson()
  const address = `${server.issuer}/device`
  const first = await person.get(address)
  const second = await person.get(address)
  const mistaken = await person.submit(first, { user_code: 'BBBB-BBBB' })
  const confirm = await person.submit(second, { user_code: one.user_code })
  t.true(confirm.body.includes('name="confirm"'))
  const done = await person.follow(await person.press(confirm, 'name="confirm"'), 'none:')
  t.true(done.body.includes('name="username"'))
  for (const page of [first, mistaken]) t.true((await person.submit(page, { user_code: other.user_code })).body.includes('name="confirm"'))
})

test('a complete address that is opened in one tab ends no form in another', async t => {
  const device = await makeDevice()
  const [one, other] = [await begin(device), await begin(device)]
  const person = createPerson()
  const first = await person.get(`${server.issuer}/device`)
  await person.get(other.verification_uri_complete ?? '')
  t.true((await person.submit(first, { user_code: one.user_code })).body.includes('name="confirm"'))
})

test('a form of the device page that is too old is told as that, with the code that was typed', async t => {
  const device = await makeDevice()
  const { user_code } = await begin(device)
  const person = createPerson()
  const page = await person.get(`${server.issuer}/device`)
  const old = await person.post(page.url, { xsrf: 'of another session', user_code })
  t.is(old.status, 400)
  t.true(old.body.includes('This form has expired'))
  t.false(old.body.includes('That code'))
  t.true(old.body.includes(`value="${user_code}"`))
  t.true((await person.submit(old, { user_code })).body.includes('name="confirm"'))
})

test('what is no fault of a code is not told as one', async t => {
  const person = createPerson()
  const page = await person.get(`${server.issuer}/device`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const twice = await person.post(page.url, new URLSearchParams(`xsrf=${xsrf}&user_code=BBBB-BBBB&user_code=CCCC-CCCC`))
  t.is(twice.status, 400)
  t.true(twice.body.includes('The request is not valid'))
  t.false(twice.body.includes('That code'))
})
