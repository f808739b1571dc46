// The account centre and the way into it, for people who speak another language than English: nothing is told in ours, and nothing by our word for it.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { scan } from '../support/factor-journeys.ts'
import { codeOf } from '../support/factors.ts'
import { linkOf, mailTo } from '../support/mails.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beside } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const end = 'nowhere'
const speaking = (language: string) => createPerson({ 'accept-language': language })
const open = async (person: Person, path: string) => person.follow(await person.get(new URL(path, server.issuer)), end)
const signIn = async (person: Person, page: Answer, who: { email: string; password: string }) => {
  const asked = await person.follow(await person.submit(page, { username: who.email }), end)
  return person.follow(await person.submit(asked, { password: who.password }), end)
}
/** What is read on a page. */
const textOf = ({ body }: Answer) => body.replace(/<style.*?<\/style>|<[^>]+>/gs, '').replace(/\s+/g, ' ')

for (const [language, words] of [
  ['de', 'mit Ihrem Authy2-Konto'],
  ['en', 'with your Authy2 account'],
  ['fr', 'avec votre compte Authy2'],
  ['es', 'con su cuenta de Authy2'],
  ['ja', 'Authy2 アカウントでサインインします'],
  ['ar', 'باستخدام حسابك في Authy2'],
] as const)
  test(`whoever signs in to the account centre in ${language} is told so in its words`, async t => {
    const person = speaking(language)
    const first = await open(person, '/account/profile')
    t.true(textOf(first).includes(words), textOf(first))
    const { email } = await makeUser(server)
    const pages = [await open(person, beside(first.url, 'sign-up').pathname), await person.follow(await person.submit(first, { username: email }), end)]
    for (const page of [first, ...pages]) {
      t.is(page.status, 200)
      t.notRegex(textOf(page), /your account\b|authy2-account/)
    }
  })

test('an app that nobody named is called what it is, in the language of the page', async t => {
  const who = await makeUser(server)
  const person = speaking('de')
  const adding = await signIn(person, await open(person, '/account/authenticator'), who)
  t.is((await person.submit(adding, { code: codeOf(scan(adding)) })).status, 303)
  const page = await open(person, '/account/security')
  t.is(page.status, 200, textOf(page))
  t.true(textOf(page).includes('Authenticator-App'))
  t.notRegex(textOf(page), /Authenticator app/)
})

test('an invitation says the role in the language of the page', async t => {
  const who = await makeUser(server)
  const owner = await makeUser(server)
  const { organizations, invitations } = server.services
  const { id: organizationId } = await organizations.create(systemActor, { name: `Nordlicht ${randomUUID()}`, ownerId: owner.id })
  await invitations.create({ ...systemActor, userId: owner.id }, { organizationId, email: who.email, role: 'admin' })
  const person = speaking('de')
  const page = await signIn(person, await open(person, linkOf(await mailTo(server, who.email, 'invited')).pathname), who)
  t.regex(textOf(page), /als Administrator beizutreten/)
})

test('whoever wants the language of their browser again reads it at once', async t => {
  const person = speaking('ja')
  const langOf = ({ body }: Answer) => /<html lang="([^"]*)"/.exec(body)?.[1]
  const page = await signIn(person, await open(person, '/account/profile'), await makeUser(server))
  const french = await person.follow(await person.submit(page, { name: 'Ida', locale: 'fr' }), end)
  t.is(langOf(french), 'fr')
  const again = await person.follow(await person.submit(french, { name: 'Ida', locale: '' }), end)
  t.is(langOf(again), 'ja')
  t.is(langOf(await open(person, '/device')), 'ja')
})
