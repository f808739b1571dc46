// The races of what a person uses once: links and codes of mails, codes of factors, challenges, tickets; one function each.
import type { ExecutionContext } from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import type { Reply } from './calls.ts'
import { ask, type Crowd, csrfOf, dataOf, newcomer, password, rush, tallyOf, visitor, withApp } from './crowd.ts'
import { codeOf as totpOf } from './factors.ts'
import { codeOf, linkOf, linkToken, mailTo } from './mails.ts'
import { makeHolder } from './passkeys.ts'
import { together } from './race.ts'
import { beginSignIn, beside, toCode, toSignUpCode } from './sign-in-pages.ts'
import { makeUser } from './users.ts'

/** One round of one race: asserts that one wins. */
export type PeopleContest = (t: ExecutionContext, crowd: Crowd, tries: number) => Promise<void>

const newPassword = 'eleven silver kettles'

const wins = (replies: readonly Reply[], status: number) => replies.filter(reply => reply.status === status).length
/** One code with each of several tickets, as often as there are tries that a person has at once. */
const presentOnce = async (t: ExecutionContext, crowd: Crowd, proof: { tickets: readonly string[]; factor: string; code: string }) => {
  const { tickets, factor, code } = proof
  const replies = await Promise.all(tickets.map(ticket => ask(crowd, '/auth/mfa', { body: { ticket, factor, code } })))
  t.is(wins(replies, 200), 1, JSON.stringify(tallyOf(replies)))
}

/** Whoever sends a form again in the same browser goes where the first went; what it proves is proven once. */
const raceOnForm = async (t: ExecutionContext, crowd: Crowd, race: Parameters<typeof rush>[1] & { email: string; action: string }) => {
  const replies = await rush(crowd, race)
  t.deepEqual(tallyOf(replies), { 303: race.tries })
  t.is(new Set(replies.map(({ headers }) => headers.location)).size, 1)
  const user = await crowd.services.users.findByEmail(race.email)
  const { total } = await crowd.services.auditLog.list({ action: race.action, targetId: user?.id }, { limit: 1 })
  t.is(total, 1)
}

const raceOnLink = async (t: ExecutionContext, crowd: Crowd, { link, tries, as }: { link: URL; tries: number; as?: string }) => {
  const person = visitor()
  let page = await person.follow(await person.get(link), 'nowhere:')
  for (const fields of as === undefined ? [] : ([{ username: as }, { password }] as Record<string, string>[]))
    page = await person.follow(await person.submit(page, fields), 'nowhere:')
  const replies = await rush(crowd, { person, url: page.url, form: csrfOf(page), tries })
  t.deepEqual(tallyOf(replies), { 200: 1, 404: tries - 1 })
}

/** What each is about, as the end of a test's title. */
export const contestsOfPeople: Readonly<Record<string, PeopleContest>> = {
  'one link for a new password sets one password': async (t, crowd, tries) => {
    const { email } = await makeUser(crowd, { password })
    await ask(crowd, '/auth/password/forgot', { body: { email } })
    const token = linkToken(await mailTo(crowd, email, 'Choose a new password'))
    let chosen = 0
    const replies = await together(tries, () => ask(crowd, '/auth/password/reset', { body: { token, password: `${newPassword} ${++chosen}` } }))
    t.is(wins(replies, 200), 1, JSON.stringify(tallyOf(replies)))
    t.true(replies.every(({ status }) => [200, 400, 503].includes(status)))
  },
  'one link proves an address once': async (t, crowd, tries) => {
    const { email } = newcomer()
    t.is((await ask(crowd, '/auth/register', { body: { email, password, full_name: 'Ida' } })).status, 201)
    const token = linkToken(await mailTo(crowd, email, 'Confirm'))
    t.deepEqual(tallyOf(await together(tries, () => ask(crowd, '/auth/email/verify', { body: { token } }))), { 200: 1, 400: tries - 1 })
  },
  'one code proves an address once': async (t, crowd, tries) => {
    const { email } = newcomer()
    t.is((await ask(crowd, '/auth/register', { body: { email, password, full_name: 'Ida' } })).status, 201)
    const token = String(dataOf(await ask(crowd, '/auth/login', { body: { email, password } })).token)
    const code = codeOf(await mailTo(crowd, email, 'Confirm'))
    t.deepEqual(tallyOf(await together(tries, () => ask(crowd, '/auth/email/verify', { body: { code }, token }))), { 200: 1, 400: tries - 1 })
  },
  'one mailed code signs in once': async (t, crowd, tries) => {
    const { email } = await makeUser(crowd, { password })
    const { person, page } = await toCode(crowd, email, visitor())
    const form = { ...csrfOf(page), code: codeOf(await mailTo(crowd, email, 'sign-in code')) }
    await raceOnForm(t, crowd, { person, url: page.url, form, tries, email, action: 'sign_in.succeeded' })
  },
  'one mailed link signs in once': async (t, crowd, tries) => {
    const { email } = await makeUser(crowd, { password })
    const { person } = await toCode(crowd, email, visitor())
    const page = await person.follow(await person.get(linkOf(await mailTo(crowd, email, 'sign-in code'))), 'nowhere:')
    await raceOnForm(t, crowd, { person, url: page.url, form: csrfOf(page), tries, email, action: 'sign_in.succeeded' })
  },
  'one sign-up makes one user once': async (t, crowd, tries) => {
    const who = newcomer()
    const { person, page } = await toSignUpCode(crowd, who, visitor())
    const form = { ...csrfOf(page), code: codeOf(await mailTo(crowd, who.email, 'Confirm')) }
    await raceOnForm(t, crowd, { person, url: page.url, form, tries, email: who.email, action: 'user.created' })
  },
  'one recovery code is accepted once': async (t, crowd) => {
    const { user, tickets } = await withApp(crowd, 4)
    const [code = ''] = await crowd.services.recoveryCodes.issue(systemActor, user.id)
    await presentOnce(t, crowd, { tickets, factor: 'recovery_code', code })
  },
  'one step of an authenticator app is accepted once': async (t, crowd) => {
    const { uri, tickets } = await withApp(crowd, 4)
    await presentOnce(t, crowd, { tickets, factor: 'totp', code: totpOf(uri) })
  },
  'one ticket of half a sign-in begins one session': async (t, crowd) => {
    const { user, tickets } = await withApp(crowd, 1)
    const codes = await crowd.services.recoveryCodes.issue(systemActor, user.id)
    const [ticket = ''] = tickets
    const replies = await Promise.all(codes.map(code => ask(crowd, '/auth/mfa', { body: { ticket, factor: 'recovery_code', code } })))
    t.is(wins(replies, 200), 1, JSON.stringify(tallyOf(replies)))
  },
  'one challenge of a passkey signs in once': async (t, crowd, tries) => {
    const { authenticator } = await makeHolder(crowd)
    const { person, page } = await beginSignIn(crowd, { person: visitor() })
    const options = JSON.parse((await person.post(beside(page.url, 'passkey/options'), csrfOf(page))).body)
    const form = { ...csrfOf(page), response: JSON.stringify(authenticator.get(options)) }
    const replies = await rush(crowd, { person, url: beside(page.url, 'passkey'), form, tries })
    t.is(wins(replies, 303), 1, JSON.stringify(tallyOf(replies)))
  },
  'one change of an address is approved once, made once, and undone once': async (t, crowd, tries) => {
    const { id, email } = await makeUser(crowd, { password })
    const user = await crowd.services.users.find(id)
    const next = newcomer().email
    if (user) await crowd.services.emailChanges.request({ ...systemActor, kind: 'user', id }, { user, email: next })
    await raceOnLink(t, crowd, { link: linkOf(await mailTo(crowd, email, 'Approve')), tries })
    await raceOnLink(t, crowd, { link: linkOf(await mailTo(crowd, next, '')), tries, as: email })
    t.is((await crowd.services.userAdministration.get(id)).email, next)
    // Anybody can make an account with the address that is free by now.
    t.is((await ask(crowd, '/auth/register', { body: { email, password, full_name: 'A Stranger' } })).status, 201)
    await raceOnLink(t, crowd, { link: linkOf(await mailTo(crowd, email, 'was changed')), tries })
    t.is((await crowd.services.userAdministration.get(id)).email, email)
  },
}
