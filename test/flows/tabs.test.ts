// Several tabs of one browser: a form acts on what its own page showed, or on nothing.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { asksFor, codesOn, enterPassword, essential, go, hiddenOf, open as openAt, scan, twoFactors } from '../support/factor-journeys.ts'
import { codeOf as codeOfApp, enrolTotp } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside, toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const expired = 'This form has expired'
const newPassword = 'eleven silver kettles'

const isPasswordOf = async ({ email }: { email: string }, password: string) => {
  const { person, page } = await toPassword(server, email)
  return (await person.submit(page, { password })).status === 303
}

/** Asks for a new password; answers where the mail leads. */
const askReset = async (person: Person, { email }: { email: string }) => {
  await person.submit(await person.get(new URL('/recovery', server.issuer)), { username: email })
  return linkOf(await mailTo(server, email, 'Choose a new password'))
}
const open = async (person: Person, link: URL) => person.follow(await person.get(link), redirectUri)

test('with the links of two accounts open, the form of the one changes no password of the other', async t => {
  const [carol, alice] = [await makeUser(server), await makeUser(server)]
  const person = createPerson()
  const links = [await askReset(person, carol), await askReset(person, alice)] as const
  const first = await open(person, links[0])
  const second = await open(person, links[1])
  t.true(first.body.includes(carol.email))

  const refused = await person.submit(first, { password: newPassword })
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(alice.email))
  t.true(await isPasswordOf(alice, alice.password))

  t.is((await person.submit(second, { password: newPassword })).location?.pathname, '/recovery/done')
  t.true(await isPasswordOf(alice, newPassword))
  t.true(await isPasswordOf(carol, carol.password))
})

test('with the links of two unproven addresses open, the form of the one proves not the other', async t => {
  const make = async () => {
    const email = `${randomUUID()}@people.example`
    const { id } = await server.services.users.create(systemActor, { email, name: 'A Test Person' })
    await server.services.proofs.ask(systemActor, { purpose: 'email_verification', email })
    const isProven = async () => (await server.services.users.find(id))?.isEmailVerified
    return { email, link: linkOf(await mailTo(server, email, 'Confirm your email address')), isProven }
  }
  const [carol, alice] = [await make(), await make()]
  const person = createPerson()
  const first = await open(person, carol.link)
  const second = await open(person, alice.link)
  t.true(first.body.includes(carol.email))

  const refused = await person.press(first, '/verify-email')
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(alice.email))
  t.false(await alice.isProven())

  t.is((await person.press(second, '/verify-email')).location?.pathname, '/verify-email/done')
  t.true(await alice.isProven())
  t.false(await carol.isProven())
})

/** Types an address on the first page, in a tab that stands there; answers the password page. */
const toPasswordOf = async (person: Person, first: Answer, { email }: { email: string }) =>
  person.follow(await person.submit(first, { username: email }), redirectUri)

test('a password page signs in only whom it names, though somebody else was named in another tab', async t => {
  const [bob, alice] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await beginSignIn(server)
  const first = await toPasswordOf(person, page, alice)
  await toPasswordOf(person, page, bob)

  const refused = await person.submit(first, { password: bob.password })
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(bob.email))
  t.is((await person.submit(refused, { password: bob.password })).status, 303)
})

test('a password page mails a code only to whom it names', async t => {
  const [bob, alice] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await beginSignIn(server)
  const first = await toPasswordOf(person, page, alice)
  await toPasswordOf(person, page, bob)

  const refused = await person.press(first, '/email-code')
  t.is(refused.status, 403)
  t.true(refused.body.includes(bob.email))
  t.deepEqual(await subjectsTo(server, bob.email), [])
})

test('whoever is named, a sign-in is left from any of its pages', async t => {
  const { person, page } = await beginSignIn(server)
  const first = await toPasswordOf(person, page, await makeUser(server))
  await toPasswordOf(person, page, await makeUser(server))
  t.is((await person.follow(await person.press(first, '/cancel'), redirectUri)).location?.searchParams.get('error'), 'access_denied')
})

/** Asks for a code instead of the password. */
const toCodeOf = async (person: Person, first: Answer, who: { email: string }) =>
  person.follow(await person.press(await toPasswordOf(person, first, who), '/email-code'), redirectUri)
const signInMail = 'sign-in code'

test('the page of a link signs in only whom it names, though a code was asked for somebody else in another tab', async t => {
  const [alice, bob] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await beginSignIn(server)
  await toCodeOf(person, page, alice)
  const first = await open(person, linkOf(await mailTo(server, alice.email, signInMail)))
  t.true(first.body.includes(alice.email))
  await toCodeOf(person, page, bob)
  const second = await open(person, linkOf(await mailTo(server, bob.email, signInMail)))

  const refused = await person.press(first, '/code/link')
  t.is(refused.status, 403)
  t.true(refused.body.includes(bob.email))
  t.is((await person.press(second, '/code/link')).status, 303)
})

test('the page of a code takes the code of whom it names, and sends again only to them', async t => {
  const [alice, bob] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await beginSignIn(server)
  const first = await toCodeOf(person, page, alice)
  await toCodeOf(person, page, bob)
  const code = codeOf(await mailTo(server, bob.email, signInMail))

  for (const refused of [await person.submit(first, { code }), await person.press(first, '/code/resend')]) {
    t.is(refused.status, 403)
    t.true(refused.body.includes(bob.email))
  }
  t.is((await subjectsTo(server, bob.email)).length, 1)
})

/** Somebody else signs in, in another tab of an interaction; answers where that leads. */
const signInBeside = async (person: Person, page: Answer, who: { email: string; password: string }) =>
  enterPassword(person, await person.get(beside(page.url, 'identifier?change')), who)

test('the page of a second factor takes the code of whom it names, and gives a passkey of nobody else', async t => {
  const [alice, bob] = [await makeUser(server), await makeUser(server)]
  await enrolTotp(server, alice)
  const ofBob = await enrolTotp(server, bob)
  const { person, page } = await beginSignIn(server)
  const first = await enterPassword(person, page, alice)
  t.true(first.body.includes(alice.email))
  t.true((await signInBeside(person, first, bob)).body.includes(bob.email))

  const refused = await person.submit(first, { code: await ofBob.code() })
  t.is(refused.status, 403)
  t.true(refused.body.includes(expired))
  t.true(refused.body.includes(bob.email))
  const csrf = /name="csrf" value="([^"]+)"/.exec(first.body)?.[1] ?? ''
  t.is((await person.post(beside(first.url, 'second-factor/passkey/options'), { csrf })).status, 403)
  t.is((await person.submit(refused, { code: await ofBob.code() })).status, 303)
})

test('whoever saved the recovery codes of one account has not seen those of another', async t => {
  const [alice, bob] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await beginSignIn(server, { parameters: essential(twoFactors) })
  const codesAfter = async (enrolment: Answer) => go(person, enrolment, { code: codeOfApp(scan(enrolment)) })
  const first = await codesAfter(await enterPassword(person, page, alice))
  const second = await codesAfter(await signInBeside(person, first, bob))
  t.is(codesOn(second).length, 10)

  const refused = await go(person, first, { saved: 'yes' })
  t.is(asksFor(refused), 'recovery-codes')
  t.is(codesOn(refused).length, 10)
  t.notDeepEqual(codesOn(refused), codesOn(first))
})

/** Two forms, of which the second is sent when the first has come to the client; in a browser, a click that comes twice ends the first answer. */
const sendTwice = async (person: Person, page: Answer, values: readonly [Record<string, string>, Record<string, string>]) => {
  const back = await person.follow(await person.submit(page, values[0]), redirectUri)
  return [back, await person.follow(await person.submit(page, values[1]), redirectUri)] as const
}
const isOver = ({ body }: Answer) => body.includes('This sign-in is over')

test('a password that is sent twice leads to the client twice', async t => {
  const { email, password } = await makeUser(server)
  const { person, page, configuration, checks } = await toPassword(server, email)
  const [first, second] = await sendTwice(person, page, [{ password }, { password }])
  t.true(first.location?.searchParams.has('code'))
  const tokens = await client.authorizationCodeGrant(configuration, second.location as URL, checks)
  t.truthy(tokens.id_token)
})

test('a password page in another tab is over when the sign-in is', async t => {
  const { email, password } = await makeUser(server)
  const { person, page } = await toPassword(server, email)
  const other = await person.get(page.url)
  await person.follow(await person.submit(page, { password }), redirectUri)
  t.true(isOver(await person.submit(other, { password })))
})

test('a consent that is sent twice leads to the client twice, and one that is refused does not', async t => {
  const portal = await makeClient(server, { isFirstParty: false })
  const toConsent = async () => {
    const person = createPerson()
    const { page } = await openAt(person, portal)
    return { person, page: await enterPassword(person, page, await makeUser(server)) }
  }
  const allowed = await toConsent()
  const [first, second] = await sendTwice(allowed.person, allowed.page, [{ decision: 'allow' }, { decision: 'allow' }])
  t.true(first.location?.searchParams.has('code'))
  t.true(second.location?.searchParams.has('code'))
  for (const decisions of [
    [{ decision: 'deny' }, { decision: 'allow' }],
    [{ decision: 'allow' }, { decision: 'deny' }],
  ] as const) {
    const { person, page } = await toConsent()
    t.true(isOver((await sendTwice(person, page, decisions))[1]))
  }
})

test('a form that is sent again leads nobody else to the client', async t => {
  const [alice, bob] = [await makeUser(server), await makeUser(server)]
  const { person, page } = await toPassword(server, alice.email)
  await person.follow(await person.submit(page, { password: alice.password }), redirectUri)
  const other = await beginSignIn(server, { person, parameters: { prompt: 'login' } })
  const left = await signInBeside(person, other.page, bob)
  t.true((await person.follow(await person.press(left, 'logout/confirm'), redirectUri)).location?.searchParams.has('code'))
  t.true(isOver(await person.follow(await person.submit(page, { password: alice.password }), redirectUri)))
  const csrf = hiddenOf(page).csrf ?? ''
  t.true(isOver(await createPerson().post(page.url, { csrf, password: alice.password })))
})
