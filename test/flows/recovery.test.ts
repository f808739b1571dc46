// A forgotten password: from the sign-in page by mail to a new one, and back to the client; and the language of such mails to people who
// chose none: that of the page, or of the request, that asked for them.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { linkOf, mailTo } from '../support/mails.ts'
import { createPerson, type Person } from '../support/person.ts'
import { head, sendRaw } from '../support/raw.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toPassword } from '../support/sign-in-pages.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const newPassword = 'eleven silver kettles'

/** Goes from the password page to the mail. */
const toMail = async (email: string) => {
  const begun = await toPassword(server, email)
  const { person, page } = begun
  const forgot = /href="([^"]+\/recovery)"/.exec(page.body)?.[1] ?? ''
  const ask = await person.follow(await person.get(new URL(forgot, page.url)), redirectUri)
  const sent = await person.follow(await person.submit(ask, { username: email }), redirectUri)
  return { ...begun, ask, sent }
}

test('who forgot their password chooses a new one by the mailed link and goes on to the client', async t => {
  const { email } = await makeUser(server)
  const { person, page, ask, sent, configuration, checks } = await toMail(email)
  t.is(ask.url.pathname, '/recovery')
  t.true(ask.body.includes(`value="${email}"`))
  t.true(sent.body.includes('If an account exists'))

  const link = linkOf(await mailTo(server, email, 'Choose a new password'))
  t.is(link.origin, server.issuer)
  const opened = await person.get(link)
  t.is(opened.status, 303)
  t.is(opened.location?.pathname, '/recovery')
  t.is(opened.headers.get('referrer-policy'), 'no-referrer')
  const form = await person.follow(opened, redirectUri)
  t.regex(form.body, /<input[^>]*name="username"[^>]*readonly autocomplete="username"/)
  t.regex(form.body, /autocomplete="new-password" minlength="12"/)
  t.false(form.body.includes(link.pathname.split('/')[2] ?? '?'))

  const weak = await person.submit(form, { password: 'password1234' })
  t.is(weak.status, 400)
  t.true(weak.body.includes('guessed first'))
  const done = await person.follow(await person.submit(weak, { password: newPassword }), redirectUri)
  t.is(done.url.pathname, '/recovery/done')
  t.true(done.body.includes(`href="/interaction/${page.url.pathname.split('/')[2]}"`))

  const back = await person.authorize(page.url, { email, password: newPassword, redirectUri })
  const tokens = await client.authorizationCodeGrant(configuration, back, checks)
  t.deepEqual(tokens.claims()?.amr, ['pwd'])
})

test('a reset signs nobody in, and ends what was signed in before', async t => {
  const user = await makeUser(server)
  const { configuration, request, signIn } = await createRelyingParty(server.issuer)
  const before = await signIn({ who: user })
  const { person } = await toMail(user.email)
  const form = await person.follow(await person.get(linkOf(await mailTo(server, user.email, 'Choose a new password'))), redirectUri)
  await person.submit(form, { password: newPassword })

  const inNewBrowser = await person.get((await request({ prompt: 'none' })).url)
  t.is(inNewBrowser.location?.searchParams.get('error'), 'login_required')
  const inOldBrowser = await before.person.get((await request({ prompt: 'none' })).url)
  t.is(inOldBrowser.location?.searchParams.get('error'), 'login_required')
  await t.throwsAsync(client.refreshTokenGrant(configuration, before.tokens.refresh_token ?? ''), { code: 'OAUTH_RESPONSE_BODY_ERROR' })
  t.false((await client.tokenIntrospection(configuration, before.tokens.access_token)).active)
})

test('who only follows the link, like a scanner of mails, changes nothing', async t => {
  const { email } = await makeUser(server)
  const { person } = await toMail(email)
  const link = linkOf(await mailTo(server, email, 'Choose a new password'))
  for (const method of ['GET', 'HEAD', 'GET']) {
    const scanner = createPerson()
    const answer = await scanner.send(link, { method })
    t.is(answer.status, 303)
    if (answer.location) await scanner.get(answer.location)
  }
  const form = await person.follow(await person.get(link), redirectUri)
  const done = await person.submit(form, { password: newPassword })
  t.is(done.location?.pathname, '/recovery/done')
  t.regex((await person.follow(done, redirectUri)).body, /href="\/(account|interaction\/[^"]+)"/)
})

test('a link that was used, and one that never was, are told alike', async t => {
  const { email } = await makeUser(server)
  const { person } = await toMail(email)
  const link = linkOf(await mailTo(server, email, 'Choose a new password'))
  await person.submit(await person.follow(await person.get(link), redirectUri), { password: newPassword })
  const answers = []
  for (const url of [link, new URL(`/recovery/${'x'.repeat(43)}`, link), new URL('/recovery/x', link)]) {
    const other = createPerson()
    const answer = await other.follow(await other.get(url), redirectUri)
    answers.push({ status: answer.status, body: answer.body.replaceAll(/value="[^"]*"|nonce="[^"]*"/g, '') })
  }
  t.is(answers[0]?.status, 400)
  t.deepEqual(answers[1], answers[0])
  t.deepEqual(answers[2], answers[0])
})

test('the form is taken only from our own page and with its token', async t => {
  const { email } = await makeUser(server)
  const { person } = await toMail(email)
  const form = await person.follow(await person.get(linkOf(await mailTo(server, email, 'Choose a new password'))), redirectUri)
  const at = new URL('/recovery', server.issuer)
  const csrf = /name="csrf" value="([^"]+)"/.exec(form.body)?.[1] ?? ''
  t.is((await person.post(at, { csrf, password: newPassword }, { origin: 'https://evil.example' })).status, 403)
  t.is((await person.post(at, { csrf, password: newPassword }, { origin: '', 'sec-fetch-site': 'cross-site' })).status, 403)
  t.is((await person.post(at, { csrf: 'x', password: newPassword })).status, 403)
  const stranger = createPerson()
  t.is((await stranger.post(at, { csrf, password: newPassword })).location?.pathname, '/recovery')
})

test('a host that a request names never stands in a mail', async t => {
  const { email } = await makeUser(server)
  const { host } = new URL(server.issuer)
  const body = JSON.stringify({ email })
  const path = '/api/v1/auth/password/forgot'
  const ask = (target: string, ...lines: string[]) =>
    sendRaw(server.issuer, [head(`POST ${target} HTTP/1.1`, ...lines, 'Content-Type: application/json', `Content-Length: ${body.length}`), body])
  const answers = await Promise.all([
    ask(path, 'Host: evil.example'),
    ask(path, `Host: ${host}`, 'Host: evil.example'),
    ask(path, `Host: evil.example:x@${host}`),
    ask(path, `Host: ${host}:1`),
    ask(`http://evil.example${path}`, `Host: ${host}`),
    ask(path, `Host: ${host}`, 'X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example', 'X-Forwarded-Proto: https', 'X-Original-Host: evil.example'),
  ])
  t.deepEqual(
    answers.map(({ status }) => status),
    [421, 400, 421, 421, 421, 202],
  )
  await mailTo(server, email, 'Choose a new password')
  for (const mail of await server.mailsTo(email)) {
    t.is(linkOf(mail).origin, server.issuer)
    t.false(JSON.stringify(mail).includes('evil'))
  }
})

test('who reads the mail is let in, although strangers closed the account by guessing', async t => {
  const { email } = await makeUser(server)
  const stranger = await toPassword(server, email)
  for (let round = 0; round < 10; round += 1) await stranger.person.submit(stranger.page, { password: 'a wrong guess' })
  t.is((await stranger.person.submit(stranger.page, { password: 'a wrong guess' })).status, 429)
  const { person, page } = await toMail(email)
  const form = await person.follow(await person.get(linkOf(await mailTo(server, email, 'Choose a new password'))), redirectUri)
  await person.submit(form, { password: newPassword })
  const back = await person.authorize(page.url, { email, password: newPassword, redirectUri })
  t.truthy(back.searchParams.get('code'))
})

test('an address in any spelling reaches the address that is stored', async t => {
  const { email } = await makeUser(server, { email: `Mixed.${randomUUID()}@people.example` })
  await toMail(`  ${email.toUpperCase()} `)
  t.is((await mailTo(server, email, 'Choose a new password')).to, email)
})

test('the pages of a forgotten password look as the page that they were left from', async t => {
  const { id } = await server.services.organizations.create(systemActor, { name: 'Nordlicht' })
  await server.services.organizationSettings.update(systemActor, id, { branding: { name: 'Nordlicht', primary_color: '#0b0b3b' } })
  const portal = await makeClient(server, { organizationId: id })
  const { email } = await makeUser(server)
  const person = createPerson()
  const first = await person.follow(await person.get((await portal.request()).url), redirectUri)
  await person.submit(first, { username: email })
  const form = await person.follow(await person.get(beside(first.url, 'recovery')), redirectUri)
  const wrong = await person.submit(form, { username: '' })
  const sent = await person.follow(await person.submit(form, { username: email }), redirectUri)
  const chosen = await person.follow(await person.get(linkOf(await mailTo(server, email, 'Choose a new password'))), redirectUri)
  const done = await person.follow(await person.submit(chosen, { password: newPassword }), redirectUri)
  for (const page of [first, form, wrong, sent, chosen, done]) {
    t.true(page.body.includes('Nordlicht</title>'), page.url.pathname)
    t.true(page.body.includes('--brand:#0b0b3b'), page.url.pathname)
  }
  t.false((await createPerson().get(new URL('/recovery', server.issuer))).body.includes('Nordlicht'))
})

let count = 0
const newEmail = () => `reader-${count++}@people.example`
const makeSilent = async (locale?: string) => {
  const email = newEmail()
  const { id } = await server.services.users.create({ kind: 'system', permissions: new Set() }, { email, name: 'Ida' })
  if (locale) await server.resources.database.pool.query('UPDATE users SET locale = $2 WHERE id = $1', [id, locale])
  return email
}
/** The subject of the only mail to an address. */
const subjectTo = async (address: string) => {
  await until(async () => (await server.mailsTo(address)).length > 0)
  return (await server.mailsTo(address))[0]?.subject ?? ''
}
const inLanguage = (tag: string, kind: string) => server.services.languages.in(tag).find(`mail.${kind}.subject`, { product: 'Authy2', code: '' }) ?? ''
/** Whether a subject is the one of a kind in a language, but for the code in it. */
const isIn = (subject: string, tag: string, kind: string) => subject.replace(/\d{6}/, '') === inLanguage(tag, kind)

/** Three people on three pages: what the client wished for, what they chose, what their browser accepts. */
const readers: readonly (readonly [tag: string, make: () => Promise<{ person: Person; parameters: Record<string, string> }>])[] = [
  ['ar', async () => ({ person: createPerson(), parameters: { ui_locales: 'ar' } })],
  [
    'ja',
    async () => {
      const person = createPerson()
      await person.post(new URL('/language', server.issuer), { language: 'ja', here: '/elsewhere' })
      return { person, parameters: {} }
    },
  ],
  ['fr', async () => ({ person: createPerson({ 'accept-language': 'fi, fr;q=0.8' }), parameters: {} })],
]

for (const [tag, make] of readers) {
  test(`who signs up on a page in ${tag} is mailed in it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = newEmail()
    const form = await person.get(beside(page.url, 'sign-up'))
    await person.follow(await person.submit(form, { email, name: 'Ida', password: 'violet umbrella 77' }), redirectUri)
    t.true(isIn(await subjectTo(email), tag, 'email_verification'))
  })

  test(`who asks for a code on a page in ${tag} is mailed in it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = await makeSilent()
    const password = await person.follow(await person.submit(page, { username: email }), redirectUri)
    await person.follow(await person.press(password, '/email-code'), redirectUri)
    t.true(isIn(await subjectTo(email), tag, 'sign_in'))
  })

  test(`who forgot their password on a page in ${tag} stays in it and is mailed in it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = await makeSilent()
    await person.follow(await person.submit(page, { username: email }), redirectUri)
    const form = await person.follow(await person.get(beside(page.url, 'recovery')), redirectUri)
    t.is(form.headers.get('content-language'), tag)
    const sent = await person.follow(await person.submit(form, { username: email }), redirectUri)
    t.is(sent.headers.get('content-language'), tag)
    t.true(isIn(await subjectTo(email), tag, 'password_reset'))
  })
}

test('another language chosen on the page of the forgotten password stays, and is the mail’s', async t => {
  const { person, page } = await beginSignIn(server, { parameters: { ui_locales: 'ar' } })
  const email = await makeSilent()
  const form = await person.follow(await person.get(beside(page.url, 'recovery')), redirectUri)
  const german = await person.follow(await person.submit(form, { language: 'de' }), redirectUri)
  const sent = await person.follow(await person.submit(german, { username: email }), redirectUri)
  t.is(sent.headers.get('content-language'), 'de')
  t.true(isIn(await subjectTo(email), 'de', 'password_reset'))
})

test('a person’s own language comes before the page’s', async t => {
  const { person, page } = await beginSignIn(server, { parameters: { ui_locales: 'ar' } })
  const email = await makeSilent('es')
  const password = await person.follow(await person.submit(page, { username: email }), redirectUri)
  await person.follow(await person.press(password, '/email-code'), redirectUri)
  t.true(isIn(await subjectTo(email), 'es', 'sign_in'))
})

const post = (path: string, body: object) =>
  fetch(`${server.issuer}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-language': 'fi, de-AT;q=0.9, fr;q=0.1' },
    body: JSON.stringify(body),
  })

test('the API mails in the language that the request accepts, and keeps none', async t => {
  const email = newEmail()
  const answer = await post('/auth/register', { email, password: 'violet umbrella 77', full_name: 'Ida' })
  t.is(answer.status, 201)
  t.true(isIn(await subjectTo(email), 'de', 'email_verification'))
  t.is((await server.services.users.findByEmail(email))?.locale, undefined)
  const other = await makeSilent()
  await post('/auth/password/forgot', { email: other })
  t.true(isIn(await subjectTo(other), 'de', 'password_reset'))
  const third = await makeSilent()
  await post('/auth/email/resend', { email: third })
  t.true(isIn(await subjectTo(third), 'de', 'email_verification'))
})

test('a mail in another language leads to the same place', async t => {
  const email = await makeSilent()
  await post('/auth/password/forgot', { email })
  await subjectTo(email)
  const [mail] = await server.mailsTo(email)
  t.regex(linkOf(mail ?? { text: '' }).pathname, /^\/recovery\//)
})
