// The language of mails to people who chose none: that of the page, or of the request, that asked for them.
import test from 'ava'
import { linkOf } from '../support/mails.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside } from '../support/sign-in-pages.ts'
import { until } from '../support/until.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

let count = 0
const newEmail = () => `reader-${count++}@people.example`
const makeUser = async (locale?: string) => {
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
  test(`who signs up on a page in ${tag} is mailed in it, and keeps no language of it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = newEmail()
    const form = await person.get(beside(page.url, 'sign-up'))
    await person.follow(await person.submit(form, { email, name: 'Ida', password: 'violet umbrella 77' }), redirectUri)
    t.true(isIn(await subjectTo(email), tag, 'email_verification'))
  })

  test(`who asks for a code on a page in ${tag} is mailed in it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = await makeUser()
    const password = await person.follow(await person.submit(page, { username: email }), redirectUri)
    await person.follow(await person.press(password, '/email-code'), redirectUri)
    t.true(isIn(await subjectTo(email), tag, 'sign_in'))
  })

  test(`who forgot their password on a page in ${tag} stays in it and is mailed in it`, async t => {
    const { person, page } = await beginSignIn(server, await make())
    const email = await makeUser()
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
  const email = await makeUser()
  const form = await person.follow(await person.get(beside(page.url, 'recovery')), redirectUri)
  const german = await person.follow(await person.submit(form, { language: 'de' }), redirectUri)
  const sent = await person.follow(await person.submit(german, { username: email }), redirectUri)
  t.is(sent.headers.get('content-language'), 'de')
  t.true(isIn(await subjectTo(email), 'de', 'password_reset'))
})

test('a person’s own language comes before the page’s', async t => {
  const { person, page } = await beginSignIn(server, { parameters: { ui_locales: 'ar' } })
  const email = await makeUser('es')
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
  const other = await makeUser()
  await post('/auth/password/forgot', { email: other })
  t.true(isIn(await subjectTo(other), 'de', 'password_reset'))
  const third = await makeUser()
  await post('/auth/email/resend', { email: third })
  t.true(isIn(await subjectTo(third), 'de', 'email_verification'))
})

test('a mail in another language leads to the same place', async t => {
  const email = await makeUser()
  await post('/auth/password/forgot', { email })
  await subjectTo(email)
  const [mail] = await server.mailsTo(email)
  t.regex(linkOf(mail ?? { text: '' }).pathname, /^\/recovery\//)
})
