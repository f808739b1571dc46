// Whoever's password is changed hears of it by one mail, whatever way it was changed by; and whoever is refused keeps no place where passwords are hashed.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createSignIn } from '../../src/authentication/sign-in.ts'
import { createSignInBudget } from '../../src/authentication/sign-in-budget.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Change } from '../../src/platform/data/change.ts'
import { makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { codeOf, linkOf, linkToken, mailTo, subjectsTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { toPassword, toSignUpCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const told = 'Your password was changed'
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'
const next = 'entirely new words here'
const noticesTo = async (email: string) => (await subjectsTo(api.server, email)).filter(subject => subject === told).length

test('in the account centre: from which device, and what to do if it was not them', async t => {
  const user = await makeUser(api.server)
  const person = createPerson({ 'user-agent': firefox })
  let page = await person.follow(await person.get(new URL('/account/password', api.server.issuer)), 'nowhere')
  for (let step = 0; step < 2; step += 1) page = await person.follow(await person.submit(page, { username: user.email, password: user.password }), 'nowhere')
  t.is((await person.submit(page, { current_password: 'not the password', new_password: next })).status, 400)
  t.is(await noticesTo(user.email), 0)
  await person.follow(await person.submit(page, { current_password: user.password, new_password: next }), 'nowhere')
  const mail = await mailTo(api.server, user.email, told)
  t.regex(mail.text, /Firefox on Linux \((127\.0\.0\.1|::1)\)/)
  t.regex(mail.text, /If it was not, choose a new password at once/)
  t.is(linkOf(mail).href, `${api.server.issuer}/recovery`)
  t.is((await createPerson().get(linkOf(mail))).status, 200)
  t.is(await noticesTo(user.email), 1)
})

test('over the API by its owner', async t => {
  const { email, token } = await api.signIn()
  const body = { current_password: password, new_password: next }
  t.is((await api.ask('POST /users/me/password', { token, body: { ...body, new_password: 'short' } })).status, 400)
  t.is((await api.ask('POST /users/me/password', { token, body })).status, 200)
  t.is(await noticesTo(email), 1)
})

test('by the link for a forgotten one, on the pages', async t => {
  const { email } = await makeUser(api.server)
  const { person, page } = await toPassword(api.server, email)
  const asks = await person.follow(await person.get(new URL(`${page.url.pathname.replace('password', 'recovery')}`, page.url)), redirectUri)
  await person.submit(asks, { username: email })
  const form = await person.follow(await person.get(linkOf(await mailTo(api.server, email, 'Choose a new password'))), redirectUri)
  t.is((await person.submit(form, { password: next })).status, 303)
  t.is(await noticesTo(email), 1)
})

test('by the link for a forgotten one, over the API, also where there was none before', async t => {
  const user = await makeUser(api.server)
  const { email } = await api.server.services.users.create(systemActor, { email: `${randomUUID()}@people.example`, isEmailVerified: true })
  for (const address of [user.email, email]) {
    await api.ask('POST /auth/password/forgot', { body: { email: address } })
    const token = linkToken(await mailTo(api.server, address, 'Choose a new password'))
    t.is((await api.ask('POST /auth/password/reset', { body: { token, password: next } })).status, 200)
    t.is((await api.ask('POST /auth/password/reset', { body: { token, password: next } })).status, 400)
    t.is(await noticesTo(address), 1)
  }
})

test('by an administrator, also where there was none before', async t => {
  const token = await makeAdmin(api)
  const user = await makeUser(api.server)
  const { id, email } = await api.server.services.users.create(systemActor, { email: `${randomUUID()}@people.example` })
  for (const one of [user, { id, email }]) {
    t.is((await api.ask(`POST /users/${one.id}/password`, { token, body: { password: next } })).status, 200)
    t.is(await noticesTo(one.email), 1)
  }
})

test('a first password that comes with the account is told to nobody', async t => {
  const who = { email: `${randomUUID()}@people.example`, password: 'violet umbrella 77' }
  const { person, page } = await toSignUpCode(api.server, who)
  await person.follow(await person.submit(page, { code: codeOf(await mailTo(api.server, who.email, 'Confirm')) }), redirectUri)
  const [registered, made] = [randomUUID(), randomUUID()].map(name => `${name}@people.example`)
  t.is((await api.ask('POST /auth/register', { body: { email: registered, password: next, full_name: 'Ida Example' } })).status, 201)
  t.is((await api.ask('POST /users', { token: await makeAdmin(api), body: { email: made, password: next } })).status, 201)
  for (const email of [who.email, registered ?? '', made ?? '']) t.is(await noticesTo(email), 0)
})

test('a change that is not kept is told to nobody', async t => {
  const { id, email } = await makeUser(api.server)
  const { signIn } = api.server.services
  const changing = signIn.setPassword(systemActor, { id, password: next, guard: () => Promise.reject(new Error('on second thoughts')) })
  await t.throwsAsync(changing, { message: 'on second thoughts' })
  const { change, notify } = api.server.services
  const undone = change(systemActor, async tx => notify(tx, { kind: 'password_changed', userId: id, actor: systemActor }))
  await t.throwsAsync(undone, { message: 'a change recorded no event' })
  t.deepEqual(await subjectsTo(api.server, email), [])
})

test.serial('a refusal beyond the budget that waits for the log keeps no place from others', async t => {
  const { resources, services } = api.server
  const { promise, resolve } = Promise.withResolvers<void>()
  const change: Change = async (actor, work) => {
    await promise
    return services.change(actor, work)
  }
  const signIn = createSignIn({
    ...services,
    change,
    database: resources.database,
    budget: createSignInBudget({ ...services, ...resources }),
    replacePassword: async () => {},
  })
  const { id, email } = await makeUser(api.server)
  const refused = Array.from({ length: 14 }, () => t.throwsAsync(signIn.prove({ ...systemActor, ip: '10.0.0.1' }, { identifier: email, password: 'wrong' })))
  // Comes after them all, while none of their events is written.
  t.is(await services.passwords.inTurn(async () => 'free'), 'free')
  resolve()
  await Promise.all(refused)
  t.is(await resources.database.prisma.auditEvent.count({ where: { targetId: id, action: 'sign_in.refused' } }), 11)
})
