// What whoever guesses may try, however many at once and wherever: ten of a password, five of a code; and the owner is not shut out by it.
import { randomInt, randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import type { Reply } from './calls.ts'
import { ask, type Crowd, csrfOf, dataOf, newcomer, password, rush, somewhere, tallyOf, visitor, withApp } from './crowd.ts'
import { asksFor } from './factor-journeys.ts'
import { codeOf as totpOf, wrongCodeOf } from './factors.ts'
import { codeOf, mailTo } from './mails.ts'
import { createPerson, type Person } from './person.ts'
import { together } from './race.ts'
import { redirectUri } from './relying-party.ts'
import { toCode, toPassword } from './sign-in-pages.ts'
import { makeUser } from './users.ts'

/** Spends one budget and asserts how much there was. */
export type Budget = (t: ExecutionContext, crowd: Crowd) => Promise<void>

const tries = 20
const wrong = 'not the password'
const logIn = (crowd: Crowd, who: { email: string; password: string }, from?: Record<string, string>) =>
  ask(crowd, '/auth/login', { body: { email: who.email, password: who.password }, from })
const prove = (crowd: Crowd, { ticket = '', ...proof }: { ticket?: string; factor: 'totp' | 'recovery_code'; code: string }) =>
  ask(crowd, '/auth/mfa', { body: { ticket, ...proof } })
const another = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

/** Strangers use up what an account bears. */
const closeAccount = async (crowd: Crowd, email: string) => {
  const guesses = await together(tries, () => logIn(crowd, { email, password: wrong }))
  return tallyOf(guesses)
}

const signInOnPages = async (crowd: Crowd, person: Person, who: { email: string; password: string }) => {
  const { page } = await toPassword(crowd, who.email, person)
  const answer = await person.submit(page, { password: who.password })
  return answer.location === undefined ? answer : person.follow(answer, redirectUri)
}

/** The page of the app's code in so many sign-ins of one person, each in a browser of its own. */
const atSecondFactor = async (crowd: Crowd, who: { email: string }) => {
  const person = visitor()
  const page = await signInOnPages(crowd, person, { email: who.email, password })
  return { person, page }
}

const isPast = (answers: readonly Reply[]) => answers.filter(({ status }) => status < 400).length

/** What each is about, as the end of a test's title. */
export const budgets: Readonly<Record<string, Budget>> = {
  'ten tries of a password are looked at, from however many addresses, known account or not': async (t, crowd) => {
    for (const email of [(await makeUser(crowd, { password })).email, newcomer().email]) {
      t.deepEqual(await closeAccount(crowd, email), { 401: 10, 429: tries - 10 })
      const refused = await logIn(crowd, { email, password })
      t.is(refused.status, 429)
      t.true(Number(refused.headers['retry-after']) > 60)
      t.is((await signInOnPages(crowd, visitor(), { email, password })).status, 429)
    }
  },
  'thirty tries are looked at from one address, over however many accounts and in whatever spelling': async (t, crowd) => {
    const net = `2001:db8:${randomInt(65_536).toString(16)}:${randomInt(65_536).toString(16)}`
    const answers = await together(40, () =>
      logIn(crowd, { ...newcomer(), password: wrong }, { 'x-forwarded-for': `${net}::${randomInt(1, 65_536).toString(16)}` }),
    )
    t.deepEqual(tallyOf(answers), { 401: 30, 429: 10 })
    t.is((await logIn(crowd, { ...newcomer(), password: wrong })).status, 401)
  },
  'a browser in which its person signed in before gets in while strangers have closed the account, by the pages': async (t, crowd) => {
    const who = await makeUser(crowd, { password })
    const address = somewhere()
    const known = createPerson(address)
    t.truthy((await signInOnPages(crowd, known, who)).location?.searchParams.get('code'))
    await closeAccount(crowd, who.email)
    for (const name of ['session', 'session.sig']) known.cookies.delete(`${name} /`)
    Object.assign(address, somewhere())
    t.is((await signInOnPages(crowd, visitor(), who)).status, 429)
    t.truthy((await signInOnPages(crowd, known, who)).location?.searchParams.get('code'))
  },
  'an address where its person signed in before gets in while strangers have closed the account, by the API': async (t, crowd) => {
    const who = await makeUser(crowd, { password })
    const home = somewhere()
    t.is((await logIn(crowd, who, home)).status, 200)
    await closeAccount(crowd, who.email)
    t.is((await logIn(crowd, who)).status, 429)
    t.is((await logIn(crowd, who, home)).status, 200)
  },
  'five codes of an app are looked at, over however many tickets and sign-ins; a recovery code lets its person in': async (t, crowd) => {
    const { user, uri, tickets } = await withApp(crowd, 5)
    const [recovery = ''] = await crowd.services.recoveryCodes.issue(systemActor, user.id)
    const { person, page } = await atSecondFactor(crowd, user)
    t.is(asksFor(page), 'second-factor')
    const form = { ...csrfOf(page), code: wrongCodeOf(uri) }
    const answers = (
      await Promise.all([
        rush(crowd, { person, url: page.url, form, tries: tries / 2 }),
        ...tickets.map(ticket => together(2, () => prove(crowd, { ticket, factor: 'totp', code: wrongCodeOf(uri) }))),
      ])
    ).flat()
    t.deepEqual(tallyOf(answers), { 401: 5, 429: tries - 5 })
    t.is((await prove(crowd, { ticket: tickets[0], factor: 'totp', code: totpOf(uri) })).status, 429)
    const closed = await person.submit(page, { code: totpOf(uri) })
    t.is(closed.status, 429)
    t.true(Number(closed.headers.get('retry-after')) > 60)
    t.is((await prove(crowd, { ticket: tickets[1], factor: 'recovery_code', code: recovery })).status, 200)
  },
  'five recovery codes a ticket are looked at; however many tickets were guessed at, a right one and the app let their person in': async (t, crowd) => {
    const { user, uri, tickets } = await withApp(crowd, 7)
    const [recovery = ''] = await crowd.services.recoveryCodes.issue(systemActor, user.id)
    const guess = (ticket: string) => together(7, () => prove(crowd, { ticket, factor: 'recovery_code', code: randomUUID() }))
    const answers = (await Promise.all(tickets.slice(0, 5).map(guess))).flat()
    t.deepEqual(tallyOf(answers), { 401: 35 })
    t.is(answers.filter(({ json }) => String(json.message).includes('took too long')).length, 10)
    t.is((await prove(crowd, { ticket: tickets[5], factor: 'recovery_code', code: recovery })).status, 200)
    t.is((await prove(crowd, { ticket: tickets[6], factor: 'totp', code: totpOf(uri) })).status, 200)
  },
  'a mailed code bears five tries on the pages, and then is nothing': async (t, crowd) => {
    const { email } = await makeUser(crowd, { password })
    const { person, page } = await toCode(crowd, email, visitor())
    const code = codeOf(await mailTo(crowd, email, 'sign-in code'))
    const answers = await rush(crowd, { person, url: page.url, form: { ...csrfOf(page), code: another(code) }, tries })
    t.is(isPast(answers), 0)
    t.is(answers.filter(({ body }) => body.includes('This code is not right')).length, 5)
    t.is((await person.submit(page, { code })).status, 400)
  },
  'a mailed code bears five tries over the API, and then is nothing': async (t, crowd) => {
    const { email } = newcomer()
    await ask(crowd, '/auth/register', { body: { email, password, full_name: 'Ida' } })
    const token = String(dataOf(await logIn(crowd, { email, password })).token)
    const code = codeOf(await mailTo(crowd, email, 'Confirm'))
    const answers = await together(tries, () => ask(crowd, '/auth/email/verify', { body: { code: another(code) }, token }))
    t.deepEqual(tallyOf(answers), { 400: tries })
    t.is((await ask(crowd, '/auth/email/verify', { body: { code }, token })).status, 400)
    t.false(dataOf(await crowd.calls.call('/api/v1/auth/me', { headers: { authorization: `Bearer ${token}` } })).email_verified)
  },
}
