// The races of what a person uses once: links and codes of mails, codes of factors, challenges, tickets; one function each.
import { randomInt, randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import type { Calls, Reply } from './calls.ts'
import { hiddenOf } from './factor-journeys.ts'
import { codeOf as totpOf } from './factors.ts'
import { codeOf, linkOf, linkToken, mailTo } from './mails.ts'
import { makeHolder } from './passkeys.ts'
import { type Answer, createPerson, type Person } from './person.ts'
import { together } from './race.ts'
import type { TestServer } from './server.ts'
import { beginSignIn, beside, toCode, toSignUpCode } from './sign-in-pages.ts'
import { makeUser } from './users.ts'

/** Where people race: a server behind one proxy (TRUST_PROXY=1), so that each may come from an address of their own. */
export interface Ground extends Pick<TestServer, 'issuer' | 'services' | 'mailsTo'> {
  readonly calls: Calls
}

/** One round of one race: asserts that one wins. */
export type PeopleContest = (t: ExecutionContext, ground: Ground, tries: number) => Promise<void>

const password = 'a long enough password'
const newPassword = 'eleven silver kettles'

const somewhere = () => ({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` })
const visitor = () => createPerson(somewhere())
const newcomer = () => ({ email: `${randomUUID()}@people.example`, password })

const ask = ({ calls }: Ground, path: string, { body, token }: { body: object; token?: string }) =>
  calls.call(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...somewhere(), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
const dataOf = ({ json }: Reply) => Object(json.data)

/** The form of a page, from one browser many times at once, by turns to all processes. */
const rush = ({ calls }: Ground, { person, url, form, tries }: { person: Person; url: URL; form: Record<string, string>; tries: number }) => {
  const cookie = [...person.cookies.values()].filter(({ path }) => url.pathname.startsWith(path)).map(({ name, value }) => `${name}=${value}`)
  return together(tries, () => calls.post(url.pathname, form, { cookie: cookie.join('; '), origin: url.origin, ...somewhere() }))
}

/** How many answers there were of each status. */
const tally = (replies: readonly Reply[]) => {
  const counts: Record<number, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const wins = (replies: readonly Reply[], status: number) => replies.filter(reply => reply.status === status).length
const csrfOf = (page: Answer) => ({ csrf: hiddenOf(page).csrf ?? '' })

/** Somebody with an authenticator app, and as many tickets of half a sign-in as are asked for. */
const withApp = async (ground: Ground, tickets: number) => {
  const made = await makeUser(ground, { password })
  const user = await ground.services.users.find(made.id)
  if (!user) throw new Error('not made')
  const { id, uri } = await ground.services.totps.enrol(systemActor, { user })
  await ground.services.totps.confirm(systemActor, { user, id, code: totpOf(uri, -1) })
  const asked = await together(tickets, () => ask(ground, '/auth/login', { body: { email: made.email, password } }))
  return { user, uri, tickets: asked.map(reply => String(dataOf(reply).ticket)) }
}

/** One code with each of several tickets, as often as there are tries that a person has at once. */
const presentOnce = async (t: ExecutionContext, ground: Ground, proof: { tickets: readonly string[]; factor: string; code: string }) => {
  const { tickets, factor, code } = proof
  const replies = await Promise.all(tickets.map(ticket => ask(ground, '/auth/mfa', { body: { ticket, factor, code } })))
  t.is(wins(replies, 200), 1, JSON.stringify(tally(replies)))
}

const raceOnCode = async (t: ExecutionContext, ground: Ground, race: { person: Person; page: Answer; code: string; tries: number }) => {
  const replies = await rush(ground, { ...race, url: race.page.url, form: { ...csrfOf(race.page), code: race.code } })
  t.deepEqual(tally(replies), { 303: 1, 400: race.tries - 1 })
}

const raceOnLink = async (t: ExecutionContext, ground: Ground, { link, tries }: { link: URL; tries: number }) => {
  const person = visitor()
  const page = await person.follow(await person.get(link), 'nowhere:')
  const replies = await rush(ground, { person, url: page.url, form: csrfOf(page), tries })
  t.deepEqual(tally(replies), { 200: 1, 404: tries - 1 })
}

/** What each is about, as the end of a test's title. */
export const contestsOfPeople: Readonly<Record<string, PeopleContest>> = {
  'one link for a new password sets one password': async (t, ground, tries) => {
    const { email } = await makeUser(ground, { password })
    await ask(ground, '/auth/password/forgot', { body: { email } })
    const token = linkToken(await mailTo(ground, email, 'Choose a new password'))
    let chosen = 0
    const replies = await together(tries, () => ask(ground, '/auth/password/reset', { body: { token, password: `${newPassword} ${++chosen}` } }))
    t.is(wins(replies, 200), 1, JSON.stringify(tally(replies)))
    t.true(replies.every(({ status }) => [200, 400, 503].includes(status)))
  },
  'one link proves an address once': async (t, ground, tries) => {
    const { email } = newcomer()
    t.is((await ask(ground, '/auth/register', { body: { email, password, full_name: 'Ida' } })).status, 201)
    const token = linkToken(await mailTo(ground, email, 'Confirm'))
    t.deepEqual(tally(await together(tries, () => ask(ground, '/auth/email/verify', { body: { token } }))), { 200: 1, 400: tries - 1 })
  },
  'one code proves an address once': async (t, ground, tries) => {
    const { email } = newcomer()
    t.is((await ask(ground, '/auth/register', { body: { email, password, full_name: 'Ida' } })).status, 201)
    const token = String(dataOf(await ask(ground, '/auth/login', { body: { email, password } })).token)
    const code = codeOf(await mailTo(ground, email, 'Confirm'))
    t.deepEqual(tally(await together(tries, () => ask(ground, '/auth/email/verify', { body: { code }, token }))), { 200: 1, 400: tries - 1 })
  },
  'one mailed code signs in once': async (t, ground, tries) => {
    const { email } = await makeUser(ground, { password })
    const { person, page } = await toCode(ground, email, visitor())
    await raceOnCode(t, ground, { person, page, code: codeOf(await mailTo(ground, email, 'sign-in code')), tries })
  },
  'one mailed link signs in once': async (t, ground, tries) => {
    const { email } = await makeUser(ground, { password })
    const { person } = await toCode(ground, email, visitor())
    const page = await person.follow(await person.get(linkOf(await mailTo(ground, email, 'sign-in code'))), 'nowhere:')
    const replies = await rush(ground, { person, url: page.url, form: csrfOf(page), tries })
    t.deepEqual(tally(replies), { 303: 1, 400: tries - 1 })
  },
  'one sign-up makes one user once': async (t, ground, tries) => {
    const who = newcomer()
    const { person, page } = await toSignUpCode(ground, who, visitor())
    await raceOnCode(t, ground, { person, page, code: codeOf(await mailTo(ground, who.email, 'Confirm')), tries })
  },
  'one recovery code is accepted once': async (t, ground) => {
    const { user, tickets } = await withApp(ground, 4)
    const [code = ''] = await ground.services.recoveryCodes.issue(systemActor, user.id)
    await presentOnce(t, ground, { tickets, factor: 'recovery_code', code })
  },
  'one step of an authenticator app is accepted once': async (t, ground) => {
    const { uri, tickets } = await withApp(ground, 4)
    await presentOnce(t, ground, { tickets, factor: 'totp', code: totpOf(uri) })
  },
  'one ticket of half a sign-in begins one session': async (t, ground) => {
    const { user, tickets } = await withApp(ground, 1)
    const codes = await ground.services.recoveryCodes.issue(systemActor, user.id)
    const [ticket = ''] = tickets
    const replies = await Promise.all(codes.map(code => ask(ground, '/auth/mfa', { body: { ticket, factor: 'recovery_code', code } })))
    t.is(wins(replies, 200), 1, JSON.stringify(tally(replies)))
  },
  'one challenge of a passkey signs in once': async (t, ground, tries) => {
    const { authenticator } = await makeHolder(ground)
    const { person, page } = await beginSignIn(ground, { person: visitor() })
    const options = JSON.parse((await person.post(beside(page.url, 'passkey/options'), csrfOf(page))).body)
    const form = { ...csrfOf(page), response: JSON.stringify(authenticator.get(options)) }
    const replies = await rush(ground, { person, url: beside(page.url, 'passkey'), form, tries })
    t.is(wins(replies, 303), 1, JSON.stringify(tally(replies)))
  },
  'one change of an address is made once, and undone once': async (t, ground, tries) => {
    const { id, email } = await makeUser(ground, { password })
    const user = await ground.services.users.find(id)
    const next = newcomer().email
    if (user) await ground.services.emailChanges.request({ ...systemActor, kind: 'user', id }, { user, email: next })
    await raceOnLink(t, ground, { link: linkOf(await mailTo(ground, next, '')), tries })
    await raceOnLink(t, ground, { link: linkOf(await mailTo(ground, email, '')), tries })
    t.is((await ground.services.userAdministration.get(id)).email, email)
  },
}
