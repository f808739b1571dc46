// Another address of one's own: confirmed at both ends, undone from the old one, and nothing that a stranger could hold up.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import type { TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let server: TestServer
test.before(async () => {
  api = await startApi()
  server = api.server
})
test.after.always(() => api?.close())

const password = 'a long enough password'
const fresh = () => `${randomUUID()}@new.example`
const emailOf = async (id: string) => (await server.services.userAdministration.get(id as never)).email
const register = async (email: string) => (await api.ask('POST /auth/register', { body: { email, password, full_name: 'A Stranger' } })).status
const actionsOn = async (id: string) =>
  (await server.resources.database.prisma.auditEvent.findMany({ where: { targetId: id }, orderBy: { id: 'asc' } })).map(({ action }) => action)

/** Somebody whose address is verified, or is not. */
const someone = async ({ isVerified = true } = {}) => {
  const { id, email } = await makeUser(server, { password })
  if (!isVerified) await server.services.userAdministration.update(systemActor, id, { isEmailVerified: false })
  return { id, email }
}

const request = async (who: { id: string; email: string }, email = fresh()) => {
  const user = await server.services.userAdministration.get(who.id as never)
  await server.services.emailChanges.request({ ...systemActor, kind: 'user', id: who.id }, { user, email })
  return email
}

/** Opens a link of a mail, signs in where that is asked, and presses its button. */
const follow = async (link: URL, who?: { email: string }) => {
  const person = createPerson()
  let asked = await person.follow(await person.get(link), 'nowhere:')
  const answers: Record<string, string>[] = who && asked.body.includes('name="username"') ? [{ username: who.email }, { password }] : []
  for (const fields of answers) asked = await person.follow(await person.submit(asked, fields), 'nowhere:')
  return asked.status === 200 && !asked.body.includes('name="username"') ? person.press(asked, 'csrf') : asked
}
const confirm = async (email: string, who: { email: string }) => follow(linkOf(await mailTo(server, email, 'Confirm your new email')), who)
const approve = async (email: string) => follow(linkOf(await mailTo(server, email, 'Approve')))
const undoLink = async (email: string) => linkOf(await mailTo(server, email, 'was changed'))

/** Somebody whose address was changed. */
const changed = async () => {
  const who = await someone()
  const email = await request(who)
  await approve(who.email)
  await confirm(email, who)
  return { ...who, old: who.email, email }
}

test('the page says what will happen, and a verified address is asked too', async t => {
  const who = await someone()
  const person = createPerson()
  let page = await person.follow(await person.get(new URL('/account/email', server.issuer)), 'nowhere:')
  page = await person.follow(await person.submit(page, { username: who.email }), 'nowhere:')
  page = await person.follow(await person.submit(page, { password }), 'nowhere:')
  t.is(page.url.pathname, '/account/email')
  t.true(page.body.includes('one to your present address'))
  const email = fresh()
  const sent = await person.follow(await person.submit(page, { email }), 'nowhere:')
  t.true(sent.body.includes('Open both'))
  const { text } = await mailTo(server, who.email, 'Approve')
  t.regex(text, new RegExp(`On .+ UTC, from .+ \\((127\\.0\\.0\\.1|::1)\\), somebody .+ from ${who.email} to ${email}\\.`))
  t.is(await emailOf(who.id), who.email)
})

for (const [first, steps] of [
  ['new', [confirm, approve]],
  ['old', [approve, confirm]],
] as const)
  test(`the address changes when both ends confirmed, the ${first} one first, each by a link that is good once`, async t => {
    const who = await someone()
    const email = await request(who)
    const ends = first === 'new' ? [email, who.email] : [who.email, email]
    const half = await steps[0](ends[0] ?? '', who)
    t.is(half.status, 200)
    t.true(half.body.includes(first === 'new' ? 'your present address is still to approve' : 'the new address is still to be confirmed'))
    t.is(await emailOf(who.id), who.email)
    t.is((await steps[0](ends[0] ?? '', who)).status, 404)
    t.is(await emailOf(who.id), who.email)
    const whole = await steps[1](ends[1] ?? '', who)
    t.is(whole.status, 200)
    t.true(whole.body.includes('Your email address was changed'))
    t.is(await emailOf(who.id), email)
    t.is((await steps[1](ends[1] ?? '', who)).status, 404)
    const told = (await actionsOn(who.id)).filter(action => action.startsWith('user.email'))
    t.deepEqual(told, ['user.email_change_requested', 'user.email_change_confirmed', 'user.email_changed'])
    const person = createPerson()
    t.is((await person.press(await person.follow(await person.get(await undoLink(who.email)), 'nowhere:'), 'csrf')).status, 200)
    t.is(await emailOf(who.id), who.email)
  })

test('of both ends at once, many times, one makes the change', async t => {
  const who = await someone()
  const email = await request(who)
  const links = [linkOf(await mailTo(server, email, 'Confirm')), linkOf(await mailTo(server, who.email, 'Approve'))]
  const ends = links.map((link, index) => ({ end: index === 0 ? ('new' as const) : ('old' as const), token: link.pathname.split('/').at(-1) ?? '' }))
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, index) => server.services.emailChanges.confirm(systemActor, ends[index % 2] as never).catch(({ code }) => code)),
  )
  t.is(outcomes.filter(one => one === 'changed').length, 1)
  t.is(outcomes.filter(one => String(one).startsWith('waits')).length, 1)
  t.is(outcomes.filter(one => one === 'link_expired').length, 18)
  t.is(await emailOf(who.id), email)
})

test('an address that was never verified is not asked', async t => {
  const who = await someone({ isVerified: false })
  const email = await request(who)
  t.is((await confirm(email, who)).status, 200)
  t.is(await emailOf(who.id), email)
  t.false((await subjectsTo(server, who.email)).some(subject => subject.includes('Approve')))
})

test('who reads the mail at the new address does not become the owner of a stranger’s account', async t => {
  const [stranger, reader] = [await someone({ isVerified: false }), await someone()]
  const email = await request(stranger)
  const asked = await follow(linkOf(await mailTo(server, email, 'Confirm')))
  t.true(asked.body.includes('name="username"'))
  t.is((await confirm(email, reader)).status, 404)
  t.is(await emailOf(stranger.id), stranger.email)
})

test('a new request voids both links of the older one, and nobody else’s', async t => {
  const [who, stranger] = [await someone(), await someone()]
  const first = await request(who)
  const approval = linkOf(await mailTo(server, who.email, 'Approve'))
  const second = await request(who)
  t.is((await confirm(first, who)).status, 404)
  t.is((await follow(approval)).status, 404)
  const link = linkOf(await mailTo(server, second, 'Confirm'))
  await request(stranger, second)
  await mailTo(server, second, 'Confirm', 2)
  t.is((await follow(link, who)).status, 200)
  t.is((await follow(linkOf((await server.mailsTo(who.email)).find(mail => mail.text.includes(second)) ?? { text: '' }))).status, 200)
  t.is(await emailOf(who.id), second)
})

test('links are worth nothing once the address was changed by other means', async t => {
  const who = await someone()
  const email = await request(who)
  const changedTo = fresh()
  await server.services.userAdministration.update(systemActor, who.id, { email: changedTo, isEmailVerified: true })
  t.is((await approve(who.email)).status, 404)
  t.is((await confirm(email, { email: changedTo })).status, 404)
  t.is(await emailOf(who.id), changedTo)
})

test('nobody keeps the old address from coming back by making an account with it', async t => {
  const { id, old } = await changed()
  t.is(await register(old), 201)
  const squatter = await server.services.users.findByEmail(old)
  const login = await api.ask('POST /auth/login', { body: { email: old, password } })
  await api.ask('POST /organizations', { token: login.data.token, body: { name: 'Mine', slug: `mine-${randomUUID().slice(0, 8)}` } })
  t.is((await follow(await undoLink(old))).status, 200)
  t.is(await emailOf(id), old)
  t.is((await api.ask('GET /auth/me', { token: login.data.token })).status, 401)
  t.deepEqual(
    (await actionsOn(String(squatter?.id))).filter(action => action === 'user.deleted'),
    ['user.deleted'],
  )
})

test('nobody keeps a new address from its person by making an account with it, before or after the mail', async t => {
  const [who, other] = [await someone(), await someone()]
  const [early, late] = [fresh(), fresh()]
  t.is(await register(early), 201)
  await request(who, early)
  await request(other, late)
  t.is(await register(late), 201)
  for (const [user, email] of [
    [who, early],
    [other, late],
  ] as const) {
    await approve(user.email)
    t.is((await confirm(email, user)).status, 200)
    t.is(await emailOf(user.id), email)
  }
})

test('an address that somebody else proved stays theirs, and the page says so', async t => {
  const { id, old, email } = await changed()
  const other = await makeUser(server, { email: old })
  const refused = await follow(await undoLink(old))
  t.is(refused.status, 409)
  t.true(refused.body.includes('This address belongs to another account by now'))
  t.is(await emailOf(id), email)
  t.is(await emailOf(other.id), old)
})

test('an administrator of the system yields to nobody', async t => {
  const { old } = await changed()
  await server.services.users.create(systemActor, { email: old, isAdmin: true })
  t.is((await follow(await undoLink(old))).status, 409)
})

test('of twenty who undo at once, while a stranger holds the address, one does', async t => {
  const { id, old } = await changed()
  await register(old)
  const token = (await undoLink(old)).pathname.split('/').at(-1) ?? ''
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () =>
      server.services.emailChanges
        .undo(systemActor, token)
        .then(() => 'done')
        .catch(({ code }) => code),
    ),
  )
  t.is(outcomes.filter(one => one === 'done').length, 1)
  t.is(outcomes.filter(one => one === 'link_expired').length, 19)
  t.is(await emailOf(id), old)
})

test('two who change to each other’s unproven address do not stand still', async t => {
  const [a, b] = [await someone({ isVerified: false }), await someone({ isVerified: false })]
  await Promise.all([request(a, b.email), request(b, a.email)])
  const tokenOf = async (email: string) =>
    linkOf(await mailTo(server, email, 'Confirm your new email'))
      .pathname.split('/')
      .at(-1) ?? ''
  const tokens = [await tokenOf(b.email), await tokenOf(a.email)]
  const outcomes = await Promise.all(
    [a, b].map(({ id }, index) =>
      server.services.emailChanges
        .confirm({ ...systemActor, kind: 'user', id, userId: id as never }, { end: 'new', token: tokens[index] ?? '' })
        .catch(({ code }) => code),
    ),
  )
  t.deepEqual(outcomes.toSorted(), ['changed', 'link_expired'])
})

test('whose address somebody wants is mailed nothing, and the one who wants it sees no difference', async t => {
  const [who, bob] = [await someone(), await someone()]
  const { token } = await api.signIn({ email: who.email })
  const answers = [
    await api.ask('POST /users/me/email', { token, body: { email: fresh() } }),
    await api.ask('POST /users/me/email', { token, body: { email: bob.email } }),
  ]
  for (const { status, data, message } of answers) t.deepEqual({ status, data, message }, { status: 202, data: null, message: answers[0]?.message })
  await mailTo(server, who.email, 'Approve', 2)
  t.deepEqual(await subjectsTo(server, bob.email), [])
})

test('the API asks for a proof of the last minutes, for an address, and for another than the present', async t => {
  const who = await api.signIn()
  const ask = (email: string) => api.ask('POST /users/me/email', { token: who.token, body: { email } })
  t.is((await ask('no address')).status, 400)
  t.is((await ask(who.email.toUpperCase())).status, 400)
  await server.resources.database.pool.query("UPDATE sessions SET proven_at = proven_at - interval '6 minutes' WHERE user_id = $1", [who.id])
  t.is((await ask(fresh())).status, 403)
  const { key } = await server.services.apiKeys.create(systemActor, { name: 'A key', permissions: [] })
  t.is((await api.ask('POST /users/me/email', { token: key, body: { email: fresh() } })).status, 403)
})
