// Making an account on the hosted pages: nobody is a user before their address is proven, and no page tells who is one.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { codeOf, linkOf, mailTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beside, toSignUpCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const person = () => ({ email: `${randomUUID()}@people.example`, password: 'violet umbrella 77' })
const subject = 'Confirm your email address'
const api = (path: string, body: object) =>
  fetch(`${server.issuer}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

test('a person makes an account by the code and goes on to the client, their address verified', async t => {
  const who = person()
  const { person: browser, form, page, configuration, checks } = await toSignUpCode(server, who)
  t.regex(form.body, /autocomplete="new-password" minlength="12"/)
  t.is(await server.services.users.findByEmail(who.email), undefined)
  const code = codeOf(await mailTo(server, who.email, subject))
  const back = await browser.follow(await browser.submit(page, { code }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location ?? page.url, checks)
  const told = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(told.email, who.email)
  t.true(told.email_verified)
  t.is(told.name, 'Ida Example')
  t.is((await api('/auth/login', who)).status, 200)
})

test('the link makes the account in the browser that asked, and nothing in another', async t => {
  const who = person()
  const { person: browser } = await toSignUpCode(server, who)
  const link = linkOf(await mailTo(server, who.email, subject))
  t.is((await createPerson().get(link)).status, 400)
  t.is(await server.services.users.findByEmail(who.email), undefined)
  const asks = await browser.follow(await browser.get(link), redirectUri)
  const back = await browser.follow(await browser.press(asks, '/code/link'), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  t.truthy(await server.services.users.findByEmail(who.email))
})

test.serial('of twenty who send the code at once one makes the account, and all go on where it went', async t => {
  const who = person()
  const { person: browser, page } = await toSignUpCode(server, who)
  const code = codeOf(await mailTo(server, who.email, subject))
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.submit(page, { code })))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [303])
  const [place, ...others] = new Set(answers.map(({ location }) => location?.href))
  t.deepEqual(others, [])
  t.truthy((await browser.follow(await browser.get(place ?? ''), redirectUri)).location?.searchParams.get('code'))
})

test.serial('the right code sent again goes on where the first went, and tells nothing untrue once the sign-in is over', async t => {
  const who = person()
  const starting = await makeClient(server, { metadata: { client_uri: 'https://papertrail.example/' } })
  const browser = createPerson()
  const first = await browser.follow(await browser.get((await starting.request({})).url), redirectUri)
  const form = await browser.get(beside(first.url, 'sign-up'))
  const page = await browser.follow(await browser.submit(form, { ...who, name: 'Ida Example' }), redirectUri)
  const mail = await mailTo(server, who.email, subject)
  const once = await browser.submit(page, { code: codeOf(mail) })
  const again = await browser.submit(page, { code: codeOf(mail) })
  t.is(again.status, 303)
  t.is(again.location?.href, once.location?.href)
  t.is((await browser.get(linkOf(mail))).location?.href, once.location?.href)
  await browser.follow(again, redirectUri)
  const late = await browser.submit(page, { code: codeOf(mail) })
  t.is(late.status, 404)
  t.true(late.body.includes('href="https://papertrail.example/"'))
  t.false(/nothing was changed/i.test(late.body))
  const used = await browser.get(linkOf(mail))
  t.is(used.status, 400)
  t.true(used.body.includes('This link was used already'))
  t.true((await createPerson().get(linkOf(mail))).body.includes('in the browser in which you began'))
})

test('a sign-in that is over, and of which this browser knows nothing, leads to the account centre', async t => {
  const gone = await createPerson().get(new URL('/interaction/gone', server.issuer))
  t.is(gone.status, 404)
  t.true(gone.body.includes('href="/account"'))
})

test('whether an address is taken is told by mail alone', async t => {
  const known = await makeUser(server)
  const fresh = person()
  const answers = []
  for (const { email } of [known, fresh]) {
    const { person: browser, page } = await toSignUpCode(server, { email, password: 'violet umbrella 77' })
    const wrong = await browser.submit(page, { code: '000000' })
    answers.push([page, wrong].map(({ status, body }) => ({ status, body: bare(body, email) })))
  }
  t.deepEqual(answers[0], answers[1])
  const mail = await mailTo(server, known.email, 'already have an account')
  t.is(codeOf(mail), '')
  t.false(mail.text.includes('http'))
})

test('an account that a stranger made in somebody’s name is theirs once they sign up, with their password alone', async t => {
  const who = person()
  t.is((await api('/auth/register', { email: who.email, password: 'the password of a stranger', full_name: 'A Stranger' })).status, 201)
  await mailTo(server, who.email, subject)
  const { person: browser, page } = await toSignUpCode(server, who)
  const back = await browser.follow(await browser.submit(page, { code: codeOf(await mailTo(server, who.email, subject, 2)) }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  t.is((await api('/auth/login', { email: who.email, password: 'the password of a stranger' })).status, 401)
  t.is((await api('/auth/login', who)).status, 200)
})

test('nothing that a stranger said of the person stays in the account that they made: name, language and picture are the person’s', async t => {
  const who = person()
  const { id } = await server.services.users.create(systemActor, {
    email: who.email,
    name: 'Call 555 0100 Now',
    locale: 'fr',
    picture: 'https://stranger.example/face.png',
  })
  const { person: browser, page, configuration, checks } = await toSignUpCode(server, { ...who, name: 'Victoria Victim' })
  const back = await browser.follow(await browser.submit(page, { code: codeOf(await mailTo(server, who.email, 'adresse')) }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location ?? page.url, checks)
  const told = await client.fetchUserInfo(configuration, tokens.access_token, id)
  t.like(told, { name: 'Victoria Victim', locale: 'en', email_verified: true, picture: undefined })
  const { rows } = await server.resources.database.pool.query('SELECT action FROM audit_events WHERE target_id = $1 ORDER BY id', [id])
  t.deepEqual(
    rows.map(({ action }) => action).filter(action => /^(user|email|password)\./.test(action)),
    ['user.created', 'email.verified', 'user.updated'],
  )
})

test('a stranger who signs somebody up gets nothing of the person’s own account', async t => {
  const who = person()
  const stranger = await toSignUpCode(server, { ...who, password: 'the password of a stranger' })
  const strangersCode = codeOf(await mailTo(server, who.email, subject))
  const own = await toSignUpCode(server, who)
  await own.person.submit(own.page, { code: codeOf(await mailTo(server, who.email, subject, 2)) })
  const late = await stranger.person.submit(stranger.page, { code: strangersCode })
  t.is(late.status, 400)
  t.is((await api('/auth/login', { email: who.email, password: 'the password of a stranger' })).status, 401)
  t.is((await api('/auth/login', who)).status, 200)
})

test('what is missing or weak is told beside its field, and what was typed is kept, but for the password', async t => {
  const { email } = person()
  const { page } = await toSignUpCode(server, { email, password: 'password1234', name: 'Ida <b>' })
  t.is(page.status, 400)
  t.true(page.body.includes('one of the passwords that are guessed first'))
  t.true(page.body.includes(`value="${email}"`))
  t.true(page.body.includes('value="Ida &lt;b&gt;"'))
  t.false(page.body.includes('password1234'))
  const nonsense = await toSignUpCode(server, { email: 'ida', password: 'violet umbrella 77' })
  t.true(nonsense.page.body.includes('This is not an email address.'))
})

test('the link of an account made over the API asks for its password before it proves the address', async t => {
  const who = person()
  await api('/auth/register', { ...who, full_name: 'Ida Example' })
  const link = linkOf(await mailTo(server, who.email, subject))
  const browser = createPerson()
  const opened = await browser.get(link)
  t.is(opened.location?.pathname, '/verify-email')
  const asks = await browser.follow(opened, redirectUri)
  const wrong = await browser.submit(asks, { password: 'not the password' })
  t.is(wrong.status, 401)
  t.false((await server.services.users.findByEmail(who.email))?.isEmailVerified)
  const done = await browser.follow(await browser.submit(asks, { password: who.password }), redirectUri)
  t.is(done.url.pathname, '/verify-email/done')
  t.true((await server.services.users.findByEmail(who.email))?.isEmailVerified)
  t.is((await api('/auth/login', who)).status, 200)
  t.is((await browser.get(new URL('/verify-email', link))).status, 400)
})

/** An organization with a client, whose sign-up it opens and closes. */
const makePortal = async (of: TestServer = server) => {
  const { id } = await of.services.organizations.create(systemActor, { name: 'Nordlicht' })
  const portal = await makeClient(of, { organizationId: id })
  const set = (isSignUpOpen: boolean) => of.services.organizationSettings.update(systemActor, id, { isSignUpOpen })
  const open = async (browser = createPerson()) => {
    const page = await browser.follow(await browser.get((await portal.request()).url), redirectUri)
    return { person: browser, page, form: await browser.get(beside(page.url, 'sign-up')) }
  }
  return { id, set, open }
}

test('an organization closes the sign-up of its own clients’ pages alone, and opens it again', async t => {
  const [{ set, open }, other] = [await makePortal(), await makePortal()]
  const before = await open()
  t.true(before.page.body.includes('/sign-up"'))
  await set(false)
  const closed = await open()
  t.false(closed.page.body.includes('/sign-up"'))
  t.is(closed.form.status, 404)
  const { email, password } = person()
  t.is((await before.person.submit(before.form, { email, password, name: 'Ida' })).status, 404)
  t.deepEqual(await server.mailsTo(email), [])
  t.true((await other.open()).page.body.includes('/sign-up"'))
  await set(true)
  t.is((await open()).form.status, 200)
})

test('whoever an organization invites makes an account where it closed sign-up, and nobody another organization invites', async t => {
  const [portal, other] = [await makePortal(), await makePortal()]
  await portal.set(false)
  await other.set(false)
  const { email, password } = person()
  await server.services.invitations.create(systemActor, { organizationId: portal.id, email, role: 'member' })
  const browser = createPerson()
  await browser.get(linkOf(await mailTo(server, email, 'invited')))
  t.is((await other.open(browser)).form.status, 404)
  const { form } = await portal.open(browser)
  t.is((await browser.submit(form, { email: person().email, password, name: 'Ida' })).status, 400)
  const page = await browser.follow(await browser.submit(form, { email, password, name: 'Ida' }), redirectUri)
  t.is((await browser.submit(page, { code: codeOf(await mailTo(server, email, subject)) })).status, 303)
  t.truthy(await server.services.users.findByEmail(email))
})

test('a sign-up that its organization closes meanwhile makes nobody a user, neither by the code nor by the link', async t => {
  const { set, open } = await makePortal()
  const { email, password } = person()
  const { person: browser, form } = await open()
  const page = await browser.follow(await browser.submit(form, { email, password, name: 'Ida' }), redirectUri)
  const mail = await mailTo(server, email, subject)
  const asks = await browser.follow(await browser.get(linkOf(mail)), redirectUri)
  t.is(asks.status, 200)
  await set(false)
  t.is((await browser.submit(page, { code: codeOf(mail) })).status, 404)
  t.is((await browser.press(asks, '/code/link')).status, 404)
  t.is((await browser.press(page, '/code/resend')).status, 404)
  t.is(await server.services.users.findByEmail(email), undefined)
  await set(true)
  t.is((await browser.submit(page, { code: codeOf(mail) })).status, 303)
  t.truthy(await server.services.users.findByEmail(email))
})

test('a sign-up that the system closed makes nobody a user, whatever an organization says', async t => {
  const other = await startServer({ settings: { SIGN_UP: 'closed' } })
  t.teardown(() => other.close())
  const answer = await fetch(`${other.issuer}/api/v1/auth/register`, {
    method: 'POST',
    body: JSON.stringify({ ...person(), full_name: 'Ida' }),
    headers: { 'content-type': 'application/json' },
  })
  t.is(answer.status, 403)
  const { set, open } = await makePortal(other)
  await set(true)
  const { page, form } = await open()
  t.false(page.body.includes('/sign-up"'))
  t.is(form.status, 404)
})

/** The page without what differs for everybody. */
const bare = (body: string, email: string) =>
  body.replaceAll(email, '').replaceAll(/nonce="[^"]*"|value="[^"]*"|\/interaction\/[\w-]+|[0-9a-f]{8}-[0-9a-f-]{27}/g, '')
