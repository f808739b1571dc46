// A sign-in that waits on its enrolment ends with the access of whoever signs in: what was proven before an account was recovered, or found its
// owner, puts nothing into it.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { asksFor, codesOn, enterPassword, essential, go, open, scan, twoFactors } from '../support/factor-journeys.ts'
import { codeOf } from '../support/factors.ts'
import { linkOf, codeOf as mailedCodeOf, mailTo } from '../support/mails.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beside, toCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let portal: TestClient
test.before(async () => {
  server = await startServer()
  portal = await makeClient(server)
})
test.after.always(() => server?.close())

/** A tab of whoever knows the password, on the page that enrols an app. */
const toEnrolment = async (who: { email: string; password: string }) => {
  const thief = createPerson()
  const asked = await open(thief, portal, essential(twoFactors))
  const page = await enterPassword(thief, asked.page, who)
  return { thief, page }
}

/** What a password that is forgotten is replaced by, in another browser. */
const recover = async ({ email }: { email: string }) => {
  await server.services.proofs.ask(systemActor, { purpose: 'password_reset', email })
  const owner = createPerson()
  const form = await owner.follow(await owner.get(linkOf(await mailTo(server, email, 'Choose a new password'))), redirectUri)
  await owner.submit(form, { password: 'eleven silver kettles' })
}

const factorsOf = async (id: string) => {
  const { rows } = await server.resources.database.pool.query(
    `SELECT count(*) FILTER (WHERE confirmed_at IS NOT NULL AND deleted_at IS NULL)::int AS enrolled,
       (SELECT count(*)::int FROM recovery_codes WHERE user_id = $1) AS codes FROM authenticators WHERE user_id = $1`,
    [id],
  )
  return rows[0]
}

/** Sends the code of the app, and looks for codes to be shown. */
const enrolBy = async (thief: Person, page: Answer) => {
  const came = await go(thief, page, { code: codeOf(scan(page)) })
  const codes = await thief.follow(await thief.get(beside(page.url, 'recovery-codes')), redirectUri)
  return { came: asksFor(came), shown: [...codesOn(came), ...codesOn(codes)] }
}

test('who sits on the page of an enrolment while the account is recovered enrols nothing, and is shown no codes', async t => {
  const user = await makeUser(server)
  const { thief, page } = await toEnrolment(user)
  t.is(asksFor(page), 'enrol')
  await recover(user)
  t.deepEqual(await enrolBy(thief, page), { came: 'identifier', shown: [] })
  t.deepEqual(await factorsOf(user.id), { enrolled: 0, codes: 0 })
})

test('who sits there in an account that a stranger made enrols nothing once its owner proved the address', async t => {
  const who = { email: `${randomUUID()}@people.example`, password: 'the password of a stranger' }
  await server.services.signUp.register(systemActor, { ...who, name: 'A Stranger' })
  const { thief, page } = await toEnrolment(who)
  t.is(asksFor(page), 'enrol')
  const owner = await toCode(server, who.email)
  await owner.person.submit(owner.page, { code: mailedCodeOf(await mailTo(server, who.email, 'code')) })
  const found = await server.services.users.findByEmail(who.email)
  t.true(found?.isEmailVerified)
  t.deepEqual(await enrolBy(thief, page), { came: 'identifier', shown: [] })
  t.deepEqual(await factorsOf(found?.id ?? ''), { enrolled: 0, codes: 0 })
})

test('who enrolled just before the account was recovered is shown no codes after it', async t => {
  const user = await makeUser(server)
  const { thief, page } = await toEnrolment(user)
  t.is((await thief.submit(page, { code: codeOf(scan(page)) })).status, 303)
  await recover(user)
  const late = await thief.follow(await thief.get(beside(page.url, 'recovery-codes')), redirectUri)
  t.deepEqual([asksFor(late), codesOn(late)], ['identifier', []])
  t.is((await factorsOf(user.id)).codes, 0)
})

test('a session that was ended enrols nothing on the page where it was asked for a second factor', async t => {
  const user = await makeUser(server)
  const { person: thief } = await portal.signIn({ who: user })
  const { page } = await open(thief, portal, essential(twoFactors))
  t.is(asksFor(page), 'enrol')
  await server.services.apiSessions.endOthers(systemActor, { userId: user.id })
  await thief.submit(page, { code: codeOf(scan(page)) })
  t.deepEqual(await factorsOf(user.id), { enrolled: 0, codes: 0 })
})

test('what passed the pages a moment before the access ended is refused where it would be kept', async t => {
  const made = await makeUser(server)
  const { totps, recoveryCodes, users, signIn } = server.services
  const user = await users.find(made.id)
  if (!user) throw new Error('nobody')
  const thief = { ...systemActor, kind: 'user', id: user.id, userId: user.id, provenAt: new Date() } as const
  const { id, uri } = await totps.enrol(thief, { user })
  await signIn.setPassword(systemActor, { id: user.id, password: 'eleven silver kettles' })
  const outcome = (work: Promise<unknown>) => work.then(() => 'kept').catch(error => (error instanceof Problem ? error.code : String(error)))
  t.is(await outcome(totps.confirm(thief, { user, id, code: codeOf(uri) })), 'interaction_expired')
  t.is(await outcome(totps.enrol(thief, { user })), 'interaction_expired')
  t.is(await outcome(totps.confirm({ ...thief, provenAt: new Date() }, { user, id, code: codeOf(uri) })), 'kept')
  t.is(await outcome(recoveryCodes.issue(thief, user.id)), 'interaction_expired')
  t.is(await outcome(recoveryCodes.issue({ ...thief, provenAt: undefined, sessionId: randomUUID() }, user.id)), 'unauthenticated')
})
