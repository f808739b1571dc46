// A sign-in from a device that is new to its user is told to them, once and in the commit of the session.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { asksFor, enterPassword, go, hiddenOf, open } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { makeHolder } from '../support/passkeys.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { toCode, toSignUpCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let portal: TestClient
test.before(async () => {
  api = await startApi({ API_REQUESTS_PER_MINUTE: '100000', TRUST_PROXY: '1' })
  portal = await makeClient(api.server)
})
test.after.always(() => api?.close())

const told = 'A new device signed in to your account'
const chrome = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
const login = (who: { email: string; password: string }, userAgent = 'papertrail/1.0', ip = '203.0.113.7') =>
  api.ask('POST /auth/login', { body: { email: who.email, password: who.password }, headers: { 'user-agent': userAgent, 'x-forwarded-for': ip } })
const noticesTo = async (email: string) => (await subjectsTo(api.server, email)).filter(subject => subject === told).length

test('the first sign-in of an account is told to nobody, and neither is a second in that browser', async t => {
  const user = await makeUser(api.server)
  const { person } = await portal.signIn({ who: user })
  await person.authorize((await portal.request({ prompt: 'login' })).url, { ...user, redirectUri })
  t.deepEqual(await subjectsTo(api.server, user.email), [])
})

test('a sign-in in another browser is told with its device, place and time, and what to do', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const other = createPerson({ 'user-agent': chrome, 'x-forwarded-for': '198.51.100.4' })
  await portal.signIn({ who: user, person: other })
  await portal.signIn({ who: user, person: other })
  const mail = await mailTo(api.server, user.email, told)
  t.regex(mail.text, /Chrome on macOS \(198\.51\.100\.4\)/)
  t.regex(mail.text, /\d{4} at \d{1,2}:\d\d [AP]M UTC/)
  t.regex(mail.text, /If it was not, sign that device out/)
  t.is(linkOf(mail).href, `${api.server.issuer}/account/sessions`)
  t.is(await noticesTo(user.email), 1)
})

test('nobody is told of a sign-in that did not come to its end, and of one that did in the browser where the first did not', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { code } = await enrolTotp(api.server, user)
  const person = createPerson()
  const half = await enterPassword(person, (await open(person, portal)).page, user)
  t.is(asksFor(half), 'second-factor')
  t.is(await noticesTo(user.email), 0)
  const asked = await open(person, portal)
  await asked.redeem(await go(person, await enterPassword(person, asked.page, user), { code: await code() }))
  t.is(await noticesTo(user.email), 1)
})

test('a step up and a silent authorization in a browser that is known tell nothing', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { person } = await portal.signIn({ who: user, person: createPerson() })
  t.is(await noticesTo(user.email), 1)
  const { code } = await enrolTotp(api.server, user)
  const stepped = await open(person, portal, { acr_values: 'urn:authy2:acr:2' })
  await stepped.redeem(await go(person, stepped.page, { code: await code() }))
  const silent = await open(person, portal, { prompt: 'none' })
  await silent.redeem(silent.page)
  t.is(await noticesTo(user.email), 1)
})

test('a sign-in by a mailed code is told too', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { person, page } = await toCode(api.server, user.email)
  await person.follow(await person.submit(page, { code: codeOf(await mailTo(api.server, user.email, 'sign-in code')) }), redirectUri)
  t.is(await noticesTo(user.email), 1)
})

test('a sign-in by passkey is told too', async t => {
  const { user, authenticator } = await makeHolder(api.server)
  const signIn = async () => {
    const person = createPerson()
    const asked = await open(person, portal)
    const { csrf = '' } = hiddenOf(asked.page)
    const beside = (path: string) => new URL(`${asked.page.url.pathname}/${path}`, asked.page.url)
    const options = JSON.parse((await person.post(beside('passkey/options'), { csrf })).body)
    await person.follow(await person.post(beside('passkey'), { csrf, response: JSON.stringify(authenticator.get(options)) }), redirectUri)
  }
  await signIn()
  t.is(await noticesTo(user.email), 0)
  await signIn()
  t.is(await noticesTo(user.email), 1)
})

test('whoever signs up is not told of it, also where a stranger made and used the account before', async t => {
  const who = { email: `${randomUUID()}@people.example`, password: 'violet umbrella 77' }
  const strangers = { email: who.email, password: 'a password of a stranger', full_name: 'A Stranger' }
  t.is((await api.ask('POST /auth/register', { body: strangers })).status, 201)
  t.is((await login(strangers)).status, 200)
  await mailTo(api.server, who.email, 'Confirm')
  const { person, page } = await toSignUpCode(api.server, who)
  const back = await person.follow(await person.submit(page, { code: codeOf(await mailTo(api.server, who.email, 'Confirm', 2)) }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  const subjects = await subjectsTo(api.server, who.email)
  t.deepEqual([...new Set(subjects)], ['Confirm your email address'])
})

test('over the API a program is known by its name and network, whatever its version', async t => {
  const user = await makeUser(api.server)
  t.is((await login(user)).status, 200)
  t.is((await login(user, 'papertrail/2.17.1', '203.0.113.99')).status, 200)
  t.is(await noticesTo(user.email), 0)
  await login(user, 'stapler/1.0')
  t.is(await noticesTo(user.email), 1)
  await login(user, 'papertrail/1.0', '198.51.100.4')
  await login(user, 'papertrail/1.0', '198.51.100.4')
  t.is(await noticesTo(user.email), 2)
})

test('of many sign-ins at once from one new place one is told', async t => {
  const user = await makeUser(api.server)
  await login(user)
  const replies = await Promise.all(Array.from({ length: 6 }, () => login(user, 'stapler/1.0', '198.51.100.9')))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [200])
  t.is(await noticesTo(user.email), 1)
})

test('a wrong password from a new place tells its user nothing', async t => {
  const user = await makeUser(api.server)
  await login(user)
  t.is((await login({ ...user, password: 'not the password' }, 'stapler/1.0')).status, 401)
  t.is(await noticesTo(user.email), 0)
})

test('who comes back after years to a new device is told, and what is old is forgotten', async t => {
  const { pool } = api.server.resources.database
  const user = await makeUser(api.server)
  await login(user)
  await pool.query("UPDATE known_devices SET seen_at = now() - interval '3 years' WHERE user_id = $1", [user.id])
  await login(user, 'stapler/1.0')
  t.is(await noticesTo(user.email), 1)
  t.is((await pool.query('SELECT 1 FROM known_devices WHERE user_id = $1', [user.id])).rows.length, 1)
})
