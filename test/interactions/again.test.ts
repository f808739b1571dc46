// A page that answered a form is come back to by its address: reloaded, gone back to, or in another language, it is a page that is there.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { hiddenOf, twoFactors } from '../support/factor-journeys.ts'
import { linkOf, mailTo } from '../support/mails.ts'
import { makePasskeyHolder } from '../support/passkey-journeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toCode, toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const email = () => `${randomUUID()}@people.example`
const headingOf = ({ body }: Answer) => /<h1[^>]*>(.*?)<\/h1>/s.exec(body)?.[1]
const langOf = ({ body }: Answer) => /<html lang="([^"]*)"/.exec(body)?.[1]
const toSecondFactor = async () => {
  const holder = await makePasskeyHolder(server)
  const { person, page } = await beginSignIn(server, { parameters: { acr_values: twoFactors } })
  const asked = await person.follow(await person.submit(page, { username: holder.email }), redirectUri)
  return { person, page: await person.follow(await person.submit(asked, { password: holder.password }), redirectUri) }
}

interface Begun {
  readonly person: Person
  readonly page: Answer
}

/** The forms that answer a mistake at an address of their own, the page they stand on, and the one that they answer. */
const forms: readonly (readonly [path: string, begin: () => Promise<Begun>, fields: Record<string, string>])[] = [
  ['connection', () => beginSignIn(server), { connection: 'none' }],
  ['passkey', () => beginSignIn(server), { response: '{}' }],
  ['email-code', () => toPassword(server, email()), { csrf: 'wrong' }],
  ['code/resend', () => toCode(server, email()), { csrf: 'wrong' }],
  ['second-factor/passkey', toSecondFactor, { response: '{}' }],
]

for (const [path, begin, fields] of forms)
  test(`what ${path} answers is come back to as the page that it is, in any language`, async t => {
    const { person, page } = await begin()
    const answer = await person.post(beside(page.url, path), { csrf: hiddenOf(page).csrf ?? '', ...fields })
    t.true(answer.status >= 400)
    t.true(answer.body.includes('role="alert"'))
    const again = await person.follow(await person.get(answer.url), redirectUri)
    t.is(again.status, 200)
    t.is(headingOf(again), headingOf(page))
    const german = await person.follow(await person.submit(answer, { language: 'de' }), redirectUri)
    t.deepEqual([german.status, langOf(german)], [200, 'de'])
  })

for (const path of ['switch', 'cancel'])
  test(`whoever reloads what ${path} refused goes on with the sign-in`, async t => {
    const { person, page } = await beginSignIn(server)
    const answer = await person.post(beside(page.url, path), { csrf: 'wrong' })
    t.is(answer.status, 403)
    t.is(headingOf(await person.follow(await person.get(answer.url), redirectUri)), headingOf(page))
  })

test('whoever reloads where another code was asked for is shown the page for the code, and no link', async t => {
  const { person, page } = await toCode(server, email())
  const again = await person.follow(await person.get(beside(page.url, 'code/resend')), redirectUri)
  t.is(again.url.pathname, page.url.pathname)
  t.is((await person.follow(await person.get(beside(page.url, 'code/link')), redirectUri)).url.pathname, page.url.pathname)
})

test('a link that was cut on its way leads to the page for the code', async t => {
  const { email } = await makeUser(server)
  const { person, page } = await toCode(server, email)
  const link = linkOf(await mailTo(server, email, 'code'))
  for (const cut of [link.href.slice(0, -1), `${link.href}.`]) t.is((await person.follow(await person.get(cut), redirectUri)).url.pathname, page.url.pathname)
  t.is((await person.follow(await person.get(link), redirectUri)).url.pathname, `${page.url.pathname}/link`)
})

test('whoever reloads where a link to a new password was asked for is asked for the address, not told of a link', async t => {
  const person = createPerson()
  const form = await person.get(new URL('/recovery', server.issuer))
  const answer = await person.submit(form, { username: ' ' })
  t.is(answer.status, 400)
  const again = await person.follow(await person.get(answer.url), redirectUri)
  t.is(again.status, 200)
  t.is(headingOf(again), headingOf(form))
  t.false(again.body.includes('role="alert"'))
})

test('whoever reloads where signing out was confirmed is asked again', async t => {
  const person = createPerson()
  const confirm = new URL('/oauth2/logout/confirm', server.issuer)
  t.is((await person.post(confirm, { logout: 'yes' })).location?.pathname, '/oauth2/logout/success', 'nobody is signed in')
  const asked = await person.follow(await person.get(confirm), redirectUri)
  t.is(asked.status, 200)
  t.is(asked.url.pathname, '/oauth2/logout')
})
