// Strangers at many addresses use up what may be guessed and mailed; the person whom they mean comes in all the same.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { type Calls, createCalls } from '../support/calls.ts'
import { ask, type Crowd, dataOf, password, somewhere, visitor, withApp } from '../support/crowd.ts'
import { enrolTotp, codeOf as totpOf, wrongCodeOf } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { toCode, toPassword } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let calls: Calls
let crowd: Crowd
test.before(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1', API_REQUESTS_PER_MINUTE: '100000' } })
  calls = createCalls(server.issuer)
  crowd = { ...server, calls }
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const logIn = async (who: { email: string; password: string }, from = somewhere()) =>
  (await ask(crowd, '/auth/login', { body: { email: who.email, password: who.password }, from })).status

const closeAccount = async (email: string) => {
  for (let count = 0; count < 11; count += 1) await logIn({ email, password: 'not the password' })
}

const useUpCodes = async (email: string) => {
  for (let count = 0; count < 9; count += 1) if ((await toCode(server, email, visitor())).page.status === 429) return
}

/** A browser in which the person signed in once, signed out and at an address of its own by now. */
const knownBrowser = async (who: { email: string; password: string }) => {
  const address = somewhere()
  const person = createPerson(address)
  const { page } = await toPassword(server, who.email, person)
  await person.follow(await person.submit(page, { password: who.password }), redirectUri)
  forgetSession(person)
  Object.assign(address, somewhere())
  return person
}

const forgetSession = ({ cookies }: Person) => {
  for (const name of ['session', 'session.sig']) cookies.delete(`${name} /`)
}

const resetTokenOf = async (email: string, count = 1) =>
  linkOf(await mailTo(server, email, 'Choose a new password', count))
    .pathname.split('/')
    .at(-1) ?? ''
const forget = (email: string, from = somewhere()) => ask(crowd, '/auth/password/forgot', { body: { email }, from })
const reset = async (token: string, fresh: string) => (await ask(crowd, '/auth/password/reset', { body: { token, password: fresh } })).status

test('a code that one network asked for too often is still mailed to whoever asks elsewhere', async t => {
  const { email } = await makeUser(server, { password })
  const network = somewhere()
  for (let count = 0; count < 5; count += 1) t.is((await toCode(server, email, createPerson(network))).page.status, 200)
  t.is((await toCode(server, email, createPerson(network))).page.status, 429)
  t.is((await toCode(server, email, visitor())).page.status, 200)
})

test('from however many networks an address gets eight codes an hour', async t => {
  const { email } = await makeUser(server, { password })
  for (let count = 0; count < 8; count += 1) t.is((await toCode(server, email, visitor())).page.status, 200)
  t.is((await toCode(server, email, visitor())).page.status, 429)
})

test('whoever signed in in a browser before has a code mailed there, however many strangers asked for; in that of others there is none', async t => {
  const who = await makeUser(server, { password })
  const [own, others] = [await knownBrowser(who), await knownBrowser(await makeUser(server, { password }))]
  await useUpCodes(who.email)
  await closeAccount(who.email)
  t.is((await toCode(server, who.email, others)).page.status, 429)
  const sent = await subjectsTo(server, who.email)
  const { page } = await toCode(server, who.email.toUpperCase(), own)
  t.is(page.status, 200)
  const code = codeOf(await mailTo(server, who.email, 'sign-in code', sent.length + 1))
  const back = await own.follow(await own.submit(page, { code }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
})

test('a reset opens the account that strangers closed, by the API too, and closes it to the next ten', async t => {
  const { email } = await makeUser(server, { password })
  await useUpCodes(email)
  await closeAccount(email)
  t.is(await logIn({ email, password }), 429)
  await forget(email)
  const fresh = 'another long enough password'
  t.is(await reset(await resetTokenOf(email), fresh), 200)
  t.is(await logIn({ email, password: fresh }), 200)
  await closeAccount(email)
  t.is(await logIn({ email, password: fresh }), 429)
})

test('a reset opens the account to a person who used up what their own browser may try', async t => {
  const who = await makeUser(server, { password })
  const person = await knownBrowser(who)
  let { page } = await toPassword(server, who.email, person)
  for (let count = 0; count < 11; count += 1) page = await person.submit(page, { password: 'long forgotten' })
  t.is(page.status, 429)
  await forget(who.email)
  const form = await person.follow(await person.get(linkOf(await mailTo(server, who.email, 'Choose a new password'))), 'none:')
  const fresh = 'another long enough password'
  t.is((await person.follow(await person.submit(form, { password: fresh }), 'none:')).status, 200)
  const again = await toPassword(server, who.email, person)
  t.truthy((await person.follow(await person.submit(again.page, { password: fresh }), redirectUri)).location?.searchParams.get('code'))
})

test('however many resets strangers ask for, the last that was mailed is good', async t => {
  const { email } = await makeUser(server, { password })
  for (let count = 0; count < 12; count += 1) t.is((await forget(email)).status, 202)
  const token = await resetTokenOf(email, 8)
  t.is((await server.mailsTo(email)).length, 8)
  t.is(await reset(token, 'another long enough password'), 200)
})

const ticketOf = async (email: string) => String(dataOf(await ask(crowd, '/auth/login', { body: { email, password } })).ticket)
const prove = async (proof: { ticket: string; factor: 'totp' | 'recovery_code'; code: string }, from = somewhere()) =>
  (await ask(crowd, '/auth/mfa', { body: proof, from })).status

/** Somebody who knows the password guesses at both factors, from anywhere, until they are refused for being many. */
const guessFactors = async ({ email, uri }: { email: string; uri: string }) => {
  for (const [factor, code] of [
    ['totp', wrongCodeOf(uri)],
    ['recovery_code', 'AAAA-BBBB-CCCC-DDDD'],
  ] as const)
    for (let count = 0; count < 7; count += 1) await prove({ ticket: await ticketOf(email), factor, code })
}

/** The page of the second factor, in a browser. */
const toSecondFactor = async (email: string, person: Person) => {
  const { page } = await toPassword(server, email, person)
  return person.follow(await person.submit(page, { password }), redirectUri)
}

test('whoever knows the password and guesses at the factors does not close an address where its person proved both', async t => {
  const { user, uri } = await withApp(crowd, 0)
  const home = somewhere()
  t.is(await prove({ ticket: await ticketOf(user.email), factor: 'totp', code: totpOf(uri) }, home), 200)
  await guessFactors({ email: user.email, uri })
  await server.resources.database.pool.query('UPDATE authenticators SET counter = 0 WHERE user_id = $1', [user.id])
  t.is(await prove({ ticket: await ticketOf(user.email), factor: 'totp', code: totpOf(uri) }), 429)
  t.is(await prove({ ticket: await ticketOf(user.email), factor: 'totp', code: totpOf(uri) }, home), 200)
  for (let count = 0; count < 5; count += 1) t.is(await prove({ ticket: await ticketOf(user.email), factor: 'totp', code: wrongCodeOf(uri) }, home), 401)
  t.is(await prove({ ticket: await ticketOf(user.email), factor: 'totp', code: wrongCodeOf(uri) }, home), 429)
})

test('nor a browser in which its person proved both; one in which the password alone was proven has no tries of its own', async t => {
  const who = await makeUser(server, { password })
  const [strange, address] = [await knownBrowser(who), somewhere()]
  const { uri, code } = await enrolTotp(server, who)
  const own = createPerson(address)
  t.truthy((await own.follow(await own.submit(await toSecondFactor(who.email, own), { code: await code() }), redirectUri)).location)
  forgetSession(own)
  Object.assign(address, somewhere())
  await guessFactors({ email: who.email, uri })
  t.is((await strange.submit(await toSecondFactor(who.email, strange), { code: await code() })).status, 429)
  const back = await own.follow(await own.submit(await toSecondFactor(who.email, own), { code: await code() }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
})

test('nor the way in by a recovery code, at any place', async t => {
  const { user, uri } = await withApp(crowd, 0)
  const [code = ''] = await server.services.recoveryCodes.issue(systemActor, user.id)
  await guessFactors({ email: user.email, uri })
  t.is(await prove({ ticket: await ticketOf(user.email), factor: 'recovery_code', code }), 200)
})
