// Signing in by a mailed code, or by the link beside it, in the browser that asked.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { enrolTotp } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toCode, toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '100000' } })
})
test.after.always(() => server?.close())

const subject = 'Your sign-in code is'
const another = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

test('a person signs in by the code, spaces and hyphens or not, and the ID token says so', async t => {
  const { email } = await makeUser(server)
  const { person, page, configuration, checks } = await toCode(server, email)
  t.regex(page.body, /<input[^>]*inputmode="numeric" autocomplete="one-time-code"/)
  const code = codeOf(await mailTo(server, email, subject))
  const back = await person.follow(await person.submit(page, { code: ` ${code.slice(0, 3)}-${code.slice(3)} `, remember: 'yes' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location ?? page.url, checks)
  t.deepEqual(tokens.claims()?.amr, ['otp'])
  t.is((await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '')).email, email)
})

test('a person signs in by the link, which asks first and leaves its secret out of the address', async t => {
  const { email } = await makeUser(server)
  const { person, configuration, checks } = await toCode(server, email)
  const link = linkOf(await mailTo(server, email, subject))
  t.is(link.origin, server.issuer)
  const opened = await person.get(link)
  t.is(opened.status, 303)
  const asks = await person.follow(opened, redirectUri)
  t.false(asks.url.href.includes(link.pathname.split('/').at(-1) ?? '?'))
  t.is(asks.status, 200)
  const back = await person.follow(await person.press(asks, '/code/link'), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location ?? link, checks)
  t.deepEqual(tokens.claims()?.amr, ['otp'])
})

test('code and link are nothing in another browser or another interaction', async t => {
  const { email } = await makeUser(server)
  await toCode(server, email)
  const mail = await mailTo(server, email, subject)
  const strange = createPerson()
  const answer = await strange.get(linkOf(mail))
  t.is(answer.status, 400)
  t.true(answer.body.includes('in the browser in which you began'))
  const other = await toCode(server, `${randomUUID()}@people.example`)
  t.is((await other.person.submit(other.page, { code: codeOf(mail) })).status, 400)
  const token = linkOf(mail).pathname.split('/').at(-1)
  const asks = await other.person.follow(await other.person.get(beside(other.page.url, `code/${token}`)), redirectUri)
  const refused = await other.person.press(asks, '/code/link')
  t.is(refused.status, 400)
  t.is(refused.location, undefined)
})

test('a code bears five tries, however many come at once, and the page says so', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toCode(server, email)
  const code = codeOf(await mailTo(server, email, subject))
  const answers = await Promise.all(Array.from({ length: 20 }, () => person.submit(page, { code: another(code) })))
  // On a busy machine some are told to come again later; none is looked at beyond the five.
  t.true(answers.filter(({ body }) => body.includes('This code is not right')).length <= 5)
  t.true(answers.every(({ status, location }) => status >= 400 && location === undefined))
  const right = await person.submit(page, { code })
  t.is(right.status, 400)
  t.is(right.location, undefined)
})

test('a resent code takes the place of the first', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toCode(server, email)
  const first = codeOf(await mailTo(server, email, subject))
  const again = await person.follow(await person.press(page, '/code/resend'), redirectUri)
  t.true(again.body.includes('We sent another message'))
  const mails = await mailTo(server, email, subject, 2)
  t.is((await person.submit(again, { code: first })).status, 400)
  t.is((await person.submit(again, { code: codeOf(mails) })).status, 303)
})

test('an unknown, a suspended and a deleted person are told the same and get no mail', async t => {
  const { userAdministration } = server.services
  const [known, suspended, deleted] = [await makeUser(server), await makeUser(server), await makeUser(server)]
  await userAdministration.suspend({ kind: 'system', permissions: new Set() }, suspended.id)
  await userAdministration.remove({ kind: 'system', permissions: new Set() }, deleted.id)
  for (const email of [`${randomUUID()}@people.example`, suspended.email, deleted.email]) {
    const { person, page } = await toCode(server, email)
    t.is(page.status, 200)
    t.is((await person.submit(page, { code: '123456' })).status, 400)
  }
  await toCode(server, known.email)
  await mailTo(server, known.email, subject)
  for (const { email } of [suspended, deleted]) t.is((await server.mailsTo(email)).length, 0)
})

test('the first proof of an address takes an account over that a stranger made: their password and sessions are gone', async t => {
  const victim = { email: `${randomUUID()}@people.example`, password: 'the password of a stranger' }
  const api = `${server.issuer}/api/v1`
  const post = (path: string, body: object) =>
    fetch(`${api}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  t.is((await post('/auth/register', { ...victim, full_name: 'A Stranger' })).status, 201)
  const { signIn } = await createRelyingParty(server.issuer)
  const strangers = await signIn({ who: victim })
  t.false(
    (
      await client.fetchUserInfo(
        strangers.tokens ? (await createRelyingParty(server.issuer)).configuration : (undefined as never),
        strangers.tokens.access_token,
        strangers.tokens.claims()?.sub ?? '',
      )
    ).email_verified,
  )

  const { person, page, configuration, checks } = await toCode(server, victim.email)
  const back = await person.follow(await person.submit(page, { code: codeOf(await mailTo(server, victim.email, subject)) }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location ?? page.url, checks)
  t.true((await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '')).email_verified)
  t.is((await post('/auth/login', victim)).status, 401)
  t.false((await client.tokenIntrospection(configuration, strangers.tokens.access_token)).active)
  const again = await strangers.person.get((await (await createRelyingParty(server.issuer)).request({ prompt: 'none' })).url)
  t.is(again.location?.searchParams.get('error'), 'login_required')
})

test('an address gets five codes an hour; who asks for more is told when to come again, and the last code stays good', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toCode(server, email)
  for (let count = 1; count < 5; count += 1) {
    await mailTo(server, email, subject, count)
    t.is((await person.press(page, '/code/resend')).status, 303)
  }
  const last = await mailTo(server, email, subject, 5)
  for (let round = 0; round < 3; round += 1) {
    const refused = await person.press(page, '/code/resend')
    t.is(refused.status, 429)
    const minutes = String(Math.ceil(Number(refused.headers.get('retry-after')) / 60))
    t.true(Number(minutes) > 55, minutes)
    t.is(/Too many messages\. Try again in (\d+) minutes/.exec(refused.body)?.[1], minutes)
  }
  const elsewhere = await toCode(server, email)
  t.is(elsewhere.page.status, 429)
  t.true(elsewhere.page.url.pathname.endsWith('/email-code'))
  t.truthy((await elsewhere.person.follow(await elsewhere.person.submit(elsewhere.page, { password: 'a long enough password' }), redirectUri)).location)
  t.is((await subjectsTo(server, email)).length, 5)
  t.is((await person.submit(page, { code: codeOf(last) })).status, 303)
})

test('an address that nobody has, and what is no address, get as many messages and are refused by the same words', async t => {
  const answers = []
  for (const email of [(await makeUser(server)).email, `${randomUUID()}@people.example`, `no address ${randomUUID()}`]) {
    const { person, page } = await toCode(server, email)
    const statuses = []
    for (let round = 0; round < 4; round += 1) statuses.push((await person.press(page, '/code/resend')).status)
    const { status, body } = await person.press(page, '/code/resend')
    answers.push({ statuses, status, told: /Too many messages[^<]*/.exec(body)?.[0].replace(/\d+/, 'some') })
  }
  t.deepEqual(answers[0]?.statuses, [303, 303, 303, 303])
  t.is(answers[0]?.status, 429)
  for (const answer of answers) t.deepEqual(answer, answers[0])
})

test('without the method there is neither the button nor its address', async t => {
  const other = await startServer({ settings: { SIGN_IN_METHODS: 'password', SIGN_UP: 'closed' } })
  t.teardown(() => other.close())
  const { person, page } = await toPassword(other, 'bob@acme-corp.com')
  t.false(page.body.includes('email-code'))
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  t.is((await person.post(beside(page.url, 'email-code'), { csrf })).status, 404)
  t.is((await person.get(beside(page.url, 'sign-up'))).status, 404)
  t.false((await beginSignIn(other)).page.body.includes('sign-up'))
})

test('without a password the code is asked for at once', async t => {
  const other = await startServer({ settings: { SIGN_IN_METHODS: 'email_code' } })
  t.teardown(() => other.close())
  const { person, page } = await toPassword(other, 'bob@acme-corp.com')
  t.true(page.url.pathname.endsWith('/code'))
  const back = await person.follow(await person.submit(page, { code: codeOf(await mailTo(other, 'bob@acme-corp.com', subject)) }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  t.is((await person.get(beside(page.url, 'password'))).status, 404)
  t.is((await person.get(new URL('/recovery', page.url))).status, 404)
})

test('without a password neither the API nor the account centre takes one', async t => {
  const other = await startServer({ settings: { SIGN_IN_METHODS: 'email_code' } })
  t.teardown(() => other.close())
  const [email, password] = ['bob@acme-corp.com', 'UserPass123!']
  const bodies = {
    '/auth/login': { email, password },
    '/auth/register': { email: 'new@people.example', password, full_name: 'New' },
    '/auth/password/forgot': { email },
    '/auth/password/reset': { token: 'x', password },
  }
  for (const [path, body] of Object.entries(bodies)) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${other.issuer}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    t.is(answer.status, 403, path)
  }
  const page = (path: string) => fetch(`${other.issuer}${path}`, { redirect: 'manual' })
  t.deepEqual([(await page('/account/password')).status, (await page('/account/email')).status], [404, 303])
})

const foreign: Readonly<Record<string, Record<string, string>>> = {
  'another origin': { origin: 'https://evil.example' },
  'no origin that can be told': { origin: 'null' },
  'another site': { origin: '', 'sec-fetch-site': 'cross-site' },
  'a sibling': { origin: '', 'sec-fetch-site': 'same-site' },
}

test('no form of these pages is taken from elsewhere, nor without its token', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toCode(server, email)
  const mail = await mailTo(server, email, subject)
  await person.get(linkOf(mail))
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const fields = {
    'sign-up': { email, name: 'Ida', password: 'violet umbrella 77' },
    code: { code: codeOf(mail) },
    'code/resend': {},
    'code/link': {},
    'email-code': {},
  }
  for (const [form, rest] of Object.entries(fields)) {
    for (const [name, headers] of Object.entries(foreign)) {
      const answer = await person.post(beside(page.url, form), { csrf, ...rest }, headers)
      t.is(answer.status, 403, `${form} from ${name}`)
      t.is(answer.location, undefined)
    }
    const without = await person.post(beside(page.url, form), { csrf: 'x', ...rest })
    t.is(without.status, 403, form)
  }
  t.is((await server.mailsTo(email)).length, 1)
})

test('who skips a step is led back and is nobody', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toPassword(server, email)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  for (const form of ['code', 'code/link', 'code/resend']) {
    const answer = await person.post(beside(page.url, form), { csrf, code: '000000' })
    t.is(answer.location?.pathname, beside(page.url, '').pathname.replace(/\/$/, ''), form)
  }
  for (const path of ['code', 'code/link']) t.is((await person.get(beside(page.url, path))).status, 303)
  const { page: asked, person: other } = await toCode(server, email)
  t.is((await other.get(beside(asked.url, 'code/link'))).location?.pathname, beside(asked.url, 'code').pathname)
  t.is((await other.post(beside(asked.url, 'code/link'), { csrf: /name="csrf" value="([^"]+)"/.exec(asked.body)?.[1] ?? '' })).status, 400)
})

test.serial('of twenty who send the code, or press the button of the link, at once one signs in, and all go on where it went', async t => {
  const { email } = await makeUser(server)
  for (const isByLink of [false, true]) {
    const { person, page } = await toCode(server, email)
    const mail = await mailTo(server, email, subject, isByLink ? 2 : 1)
    const asks = isByLink ? await person.follow(await person.get(linkOf(mail)), redirectUri) : page
    const send = () => (isByLink ? person.press(asks, '/code/link') : person.submit(asks, { code: codeOf(mail) }))
    const answers = await Promise.all(Array.from({ length: 20 }, send))
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [303])
    const [place, ...others] = new Set(answers.map(({ location }) => location?.href))
    t.deepEqual(others, [])
    t.truthy((await person.follow(await person.get(place ?? ''), redirectUri)).location?.searchParams.get('code'))
  }
})

test.serial('the code sent again where a second factor is missing goes on to it, and lets nobody past', async t => {
  const user = await makeUser(server)
  await enrolTotp(server, user)
  const { person, page } = await toCode(server, user.email)
  const code = codeOf(await mailTo(server, user.email, subject))
  for (const _ of ['once', 'twice']) {
    const place = await person.follow(await person.submit(page, { code }), redirectUri)
    t.true(place.url.pathname.endsWith('/second-factor'))
  }
})
