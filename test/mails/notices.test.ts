// What was done to an account is told in the language of its owner: the one they chose or signed up in, else the one they did it in.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import type { UserId } from '../../src/users/user.ts'
import { scan } from '../support/factor-journeys.ts'
import { codeOf as appCodeOf } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toSignUpCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const end = 'nowhere'
const password = 'violet umbrella 77'
const fresh = () => `${randomUUID()}@people.example`
const german = () => createPerson({ 'accept-language': 'de' })
const subjectIn = (tag: string, kind: string) => server.services.languages.in(tag).find(`mail.${kind}.subject`, { product: 'Authy2', code: '' }) ?? ''
const open = async (person: Person, path: string) => person.follow(await person.get(new URL(path, server.issuer)), end)
const signIn = async (person: Person, page: Answer, email: string) => {
  const asked = await person.follow(await person.submit(page, { username: email }), end)
  return person.follow(await person.submit(asked, { password }), end)
}
/** Somebody with a verified address who chose no language. */
const silent = async () => makeUser(server, { email: fresh(), password })

test('whoever signs up on a page in German is told in German what is done to their account, wherever it is done', async t => {
  const person = german()
  const who = { email: fresh(), password }
  const { page } = await toSignUpCode(server, who, person)
  await person.follow(await person.submit(page, { code: codeOf(await mailTo(server, who.email, 'Bestätigen')) }), redirectUri)
  const user = await server.services.users.findByEmail(who.email)
  t.is(user?.locale, 'de')
  const elsewhere = createPerson({ 'accept-language': 'en' })
  await signIn(elsewhere, await open(elsewhere, '/account/profile'), who.email)
  t.is((await mailTo(server, who.email, subjectIn('de', 'new_device'))).to, who.email)
})

test('both ends of a change of address are asked in the language that it is asked for in, and the old one is told in it', async t => {
  const who = await silent()
  const [person, email] = [german(), fresh()]
  const form = await signIn(person, await open(person, '/account/email'), who.email)
  t.is((await person.submit(form, { email })).status, 303)
  const approval = await mailTo(server, who.email, subjectIn('de', 'email_change_approval'))
  const confirmation = await mailTo(server, email, subjectIn('de', 'email_change'))
  await person.press(await open(person, linkOf(confirmation).pathname), 'csrf')
  const reader = german()
  await reader.press(await open(reader, linkOf(approval).pathname), 'csrf')
  t.is((await mailTo(server, who.email, subjectIn('de', 'email_changed'))).to, who.email)
})

test('a factor, its recovery codes, a new device and a new password are told in the language of whoever chose none', async t => {
  const who = await silent()
  const first = createPerson()
  await signIn(first, await open(first, '/account/profile'), who.email)
  const person = german()
  const adding = await signIn(person, await open(person, '/account/authenticator'), who.email)
  t.is((await mailTo(server, who.email, subjectIn('de', 'new_device'))).to, who.email)
  await person.follow(await person.submit(adding, { code: appCodeOf(scan(adding)) }), end)
  t.is((await mailTo(server, who.email, subjectIn('de', 'factor_added'))).to, who.email)
  await person.submit(await open(person, '/account/security'), { codes: 'new' })
  t.is((await mailTo(server, who.email, subjectIn('de', 'recovery_codes_made'))).to, who.email)
  const forgot = german()
  await forgot.submit(await open(forgot, '/recovery'), { username: who.email })
  const chosen = await open(forgot, linkOf(await mailTo(server, who.email, subjectIn('de', 'password_reset'))).pathname)
  t.is((await forgot.submit(chosen, { password: 'entirely new words here' })).status, 303)
  t.is((await mailTo(server, who.email, subjectIn('de', 'password_changed'))).to, who.email)
})

test('what an administrator does is told in no language of theirs', async t => {
  const who = await silent()
  const { signIn: service } = server.services
  await service.setPassword(
    { ...systemActor, kind: 'user', id: randomUUID(), userId: randomUUID(), language: 'de' },
    { id: who.id as UserId, password: 'entirely new words here' },
  )
  t.deepEqual(await subjectsTo(server, who.email), [subjectIn('en', 'password_changed')])
})
