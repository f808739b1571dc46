// What guards an account, on the pages of its owner: shown once, changed by whoever proves both factors, and the address by who reads both ends.
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAgent } from '../support/agents.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { asksFor, enterPassword, go, hiddenOf, scan } from '../support/factor-journeys.ts'
import { codeOf, enrolTotp, withinOneStep } from '../support/factors.ts'
import { linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { addPasskey, optionsOf, sendPasskey } from '../support/passkey-journeys.ts'
import { enrol, makePerson, type TestPerson } from '../support/passkeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import type { TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let server: TestServer
test.before(async () => {
  api = await startApi()
  server = api.server
})
test.after.always(() => api?.close())

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
    const inSession = first === 'new' ? 'user.email_change_confirmed' : 'user.email_changed'
    const [by] = (await server.resources.database.pool.query('SELECT actor_id FROM audit_events WHERE target_id = $1 AND action = $2', [who.id, inSession]))
      .rows
    t.is(by.actor_id, who.id, 'the link to the new address is opened by whoever is signed in')
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

test('whoever yields an address takes what their agents hold along', async t => {
  const [who, holder] = [await someone(), await someone({ isVerified: false })]
  const { clientId } = await makeAgent(server, { ownerUserId: holder.id })
  await request(who, holder.email)
  await approve(who.email)
  t.is((await confirm(holder.email, who)).status, 200)
  const { id, secrets, metadata } = await server.services.clientAdministration.get({ id: clientId })
  t.deepEqual([secrets, metadata.jwks], [[], { keys: [] }])
  t.true((await actionsOn(id)).includes('client.access_ended'))
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

// In turn from here on: all at once would be more sign-ins under way than one address may have.
const at = (path: string) => new URL(path, api.server.issuer)
const onward = async (person: Person, answer: Answer) => person.follow(answer, 'nowhere:')
const open = async (person: Person, path: string) => onward(person, await person.get(at(path)))
const visitor = async () => {
  const user = await makeUser(api.server, { password })
  const person = createPerson()
  await enterPassword(person, await open(person, '/account/security'), user)
  return { user, person }
}
const factorsOf = (id: string) => api.server.services.authenticators.list(id)
const csrfOf = (page: Answer) => hiddenOf(page).csrf ?? ''
const shownCodes = ({ body }: Answer) => [...body.matchAll(/<li><code>([^<]+)</g)].map(([, code]) => code)

test.serial('the key of an app stays the same when the page is loaded again or changes its language, until another is asked for', async t => {
  const { person } = await visitor()
  const first = await open(person, '/account/authenticator')
  t.is(scan(await open(person, '/account/authenticator')), scan(first))
  const german = await onward(person, await person.submit(first, { language: 'de' }))
  t.regex(german.body, /<html lang="de"/)
  t.is(scan(german), scan(first))
  const wrong = await person.submit(first, { code: '000000' })
  t.is(scan(wrong), scan(first))
  const another = await onward(person, await person.submit(first, { another: 'yes' }))
  t.is(another.url.pathname, '/account/authenticator')
  t.not(scan(another), scan(first))
})

test.serial('another browser of the same person is shown another key', async t => {
  const { user, person } = await visitor()
  const here = await open(person, '/account/authenticator')
  const there = createPerson()
  const elsewhere = await enterPassword(there, await open(there, '/account/authenticator'), user)
  t.not(scan(elsewhere), scan(here))
  const late = await person.submit(here, { code: codeOf(scan(here)) })
  t.is(late.status, 400)
  t.true(late.body.includes('an earlier key'))
  t.false(late.body.includes('There is nothing here'))
})

test.serial('the codes of a first app are shown after a redirect, again when the page is loaded again, until they are saved', async t => {
  const { user, person } = await visitor()
  const page = await open(person, '/account/authenticator')
  const answer = await person.submit(page, { code: codeOf(scan(page)) })
  t.is(answer.status, 303)
  const codes = await onward(person, answer)
  t.is(codes.url.pathname, '/account/recovery-codes')
  t.is(shownCodes(codes).length, 10)
  t.deepEqual(shownCodes(await open(person, '/account/recovery-codes')), shownCodes(codes))
  const unsaved = await person.post(codes.url, { csrf: csrfOf(codes) })
  t.is(unsaved.status, 400)
  t.deepEqual(shownCodes(unsaved), shownCodes(codes))
  t.is((await api.server.services.recoveryCodes.count(user.id)).left, 10)
  const saved = await onward(person, await person.submit(codes, { saved: 'yes' }))
  t.is(saved.url.pathname, '/account/security')
  const over = await open(person, '/account/recovery-codes')
  t.is(over.url.pathname, '/account/security')
  t.deepEqual(shownCodes(over), [])
})

test.serial('new codes are shown after a redirect, and to nobody else in the same browser', async t => {
  const { person } = await visitor()
  const page = await open(person, '/account/authenticator')
  await onward(person, await person.submit(page, { code: codeOf(scan(page)) }))
  const list = await open(person, '/account/security')
  const answer = await person.submit(list, { codes: 'new' })
  t.is(answer.status, 303)
  const codes = await onward(person, answer)
  t.is(shownCodes(codes).length, 10)
  const sealed = [...person.cookies.values()].find(({ name }) => name === 'recovery_codes')
  t.is(sealed?.path, '/account/recovery-codes')
  t.false(shownCodes(codes).some(code => code !== undefined && sealed?.value.includes(code)))
  const { person: stranger } = await visitor()
  if (sealed) stranger.cookies.set('recovery_codes /account/recovery-codes', sealed)
  t.is((await open(stranger, '/account/recovery-codes')).url.pathname, '/account/security')
})

test.serial('of twenty who send the first code at once one confirms, and every other is told that it is done', t =>
  withinOneStep(t, async t => {
    const { user, person } = await visitor()
    const page = await open(person, '/account/authenticator')
    const form = { ...hiddenOf(page), code: codeOf(scan(page)) }
    const answers = await Promise.all(Array.from({ length: 20 }, () => person.post(page.url, form)))
    t.deepEqual(new Set(answers.map(({ status }) => status)), new Set([303]))
    t.deepEqual(new Set(answers.map(({ location }) => location?.pathname)), new Set(['/account/recovery-codes']))
    t.is((await factorsOf(user.id)).length, 1)
    t.is(shownCodes(await open(person, '/account/recovery-codes')).length, 10)
    const again = await onward(person, await person.post(page.url, form))
    t.is(shownCodes(again).length, 10)
    await person.submit(again, { saved: 'yes' })
    const late = await onward(person, await person.post(page.url, form))
    t.true(late.url.href.startsWith(at('/account/security?done=factor_added.').href))
    t.is((await factorsOf(user.id)).length, 1)
  }),
)

test.serial('a passkey is given a name, and one that is empty or too long is told beside its field', async t => {
  const { user, person } = await visitor()
  const owner = { ...(await makePerson(api.server)), user: (await api.server.services.users.find(user.id)) ?? t.fail() }
  const { id } = await enrol(api.server, { ...owner, actor: { ...owner.actor, id: user.id, userId: user.id } } as TestPerson)
  await api.server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{amr}', '["pwd","otp","mfa"]')::json WHERE kind = 'Session' AND account_id = $1`,
    [user.id],
  )
  await api.server.resources.database.prisma.session.updateMany({ where: { userId: user.id }, data: { amr: ['pwd', 'otp', 'mfa'] } })
  const page = await open(person, '/account/security')
  for (const label of ['', ' ', 'x'.repeat(101)]) {
    const wrong = await person.submit(page, { label })
    t.is(wrong.status, 400)
    t.regex(wrong.body, /id="label-error">(Fill in this field|Enter at most 100)/)
  }
  const answer = await onward(person, await person.submit(page, { label: 'My <b>key</b>' }))
  t.true(answer.body.includes('My &lt;b&gt;key&lt;/b&gt;'))
  t.deepEqual(
    (await factorsOf(user.id)).map(({ id, name }) => ({ id, name })),
    [{ id, name: 'My <b>key</b>' }],
  )
})

/** Somebody in the account centre, signed in by the password alone. */
const arrived = async (t: ExecutionContext) => {
  const user = await makeUser(api.server, { password })
  const person = createPerson()
  const page = await enterPassword(person, await open(person, '/account/security'), user)
  t.is(page.url.pathname, '/account/security')
  return { user, person }
}

for (const path of ['/account/profile', '/account/password', '/account/security', '/account/authenticator', '/account/sessions', '/account/data'])
  test.serial(`${path} is not reached by one factor where the account has two, however fresh the sign-in is`, async t => {
    const { user, person } = await arrived(t)
    const factor = await enrolTotp(api.server, user)
    const asked = await open(person, path)
    t.is(asksFor(asked), 'second-factor')
    t.is((await go(person, asked, { code: await factor.code() })).url.pathname, path)
  })

for (const path of ['/account/profile', '/account/password', '/account/security', '/account/authenticator'])
  test.serial(`${path} is not reached by the password alone where the account has a passkey, and is by both`, async t => {
    const { user, person } = await arrived(t)
    const authenticator = await addPasskey(api.server, user)
    for (const browser of [person, createPerson()]) {
      const asked = await open(browser, path)
      const page = browser === person ? asked : await enterPassword(browser, asked, user)
      t.is(asksFor(page), 'second-factor')
      t.false(page.body.includes('name="code"'))
      const { options } = await optionsOf(browser, page)
      const back = await browser.follow(await sendPasskey(browser, page, authenticator.get(options)), 'nowhere:')
      t.is(back.url.pathname, path)
    }
  })

test.serial('a form that was opened before the second factor was there takes nothing away', async t => {
  const { user, person } = await arrived(t)
  const page = await open(person, '/account/profile')
  const { factorId } = await enrolTotp(api.server, user)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const answer = await person.post(new URL('/account/security', page.url), { csrf, remove: factorId })
  t.is(answer.location?.pathname, '/oauth2/authorize')
  t.is((await factorsOf(user.id)).length, 1)
})

test.serial('who enrols an app in the account centre proved it there, and is not asked for it again', async t => {
  const { user, person } = await arrived(t)
  const enrolment = await open(person, '/account/authenticator')
  await person.submit(enrolment, { code: codeOf(scan(enrolment)) })
  const list = await open(person, '/account/security')
  t.is(list.url.pathname, '/account/security')
  const [factor] = await factorsOf(user.id)
  t.is((await person.submit(list, { remove: factor?.id ?? '' })).status, 303)
  t.deepEqual(await factorsOf(user.id), [])
  t.is((await open(person, '/account/security')).url.pathname, '/account/security')
})

test.serial('a session of the API with one factor changes nothing that guards an account with two, however fresh it is', async t => {
  const { id, token } = await api.signIn()
  const factor = await enrolTotp(api.server, { id })
  const operations = ['POST /users/me/factors', `DELETE /users/me/factors/${factor.factorId}`, 'POST /users/me/recovery-codes']
  for (const operation of operations)
    t.is((await api.ask(operation, { token, body: operation.endsWith('factors') ? { kind: 'totp' } : undefined })).status, 403, operation)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 400)
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { factor: 'totp', code: await factor.code() } })).status, 200)
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
})

test.serial('who enrols an app over the API proved it there, and makes recovery codes at once', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/factors', { token, body: { kind: 'totp' } })
  t.is((await api.ask(`POST /users/me/factors/${data.factor.id}/confirm`, { token, body: { code: codeOf(data.uri) } })).status, 200)
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
  const [session] = (await api.ask('GET /auth/sessions', { token })).data
  t.deepEqual(session.amr, ['pwd', 'otp', 'mfa'])
})

test.serial('a session of the API with the password alone changes nothing that guards an account with a passkey', async t => {
  const { id, token } = await api.signIn()
  await addPasskey(api.server, { id })
  const [{ id: factorId } = { id: '' }] = await factorsOf(id)
  const again = await api.signIn({ email: (await api.ask('GET /users/me', { token })).data.email })
  const operations = [
    'POST /users/me/factors',
    `POST /users/me/factors/${randomUUID()}/confirm`,
    `DELETE /users/me/factors/${factorId}`,
    'POST /users/me/recovery-codes',
    'POST /users/me/passkeys/options',
    `DELETE /users/me/passkeys/${factorId}`,
  ]
  const bodyOf = (operation: string) => (operation.endsWith('/factors') ? { kind: 'totp' } : operation.endsWith('/confirm') ? { code: '123456' } : undefined)
  for (const one of [token, again.token])
    for (const operation of operations) {
      const refused = await api.ask(operation, { token: one, body: bodyOf(operation) })
      t.is(refused.status, 403, operation)
      t.regex(refused.message, /^Prove once more who you are.* A passkey is proven on the sign-in pages alone\.$/, operation)
    }
  t.is((await api.ask('POST /auth/reauthenticate', { token, body: { password } })).status, 403)
  t.is((await factorsOf(id)).length, 1)
})

test.serial('a passkey is not kept in a session that meanwhile lacks the factor its person added', async t => {
  const { id, token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/passkeys/options', { token })
  await enrolTotp(api.server, { id })
  const response = createAuthenticator(api.server.issuer).create(data)
  t.is((await api.ask('POST /users/me/passkeys', { token, body: { response } })).status, 403)
})

test.serial('who makes a passkey proved it there, and their session says so until it is removed', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /users/me/passkeys/options', { token })
  const response = createAuthenticator(api.server.issuer).create(data)
  const made = await api.ask('POST /users/me/passkeys', { token, body: { response } })
  const amr = async () => (await api.ask('GET /auth/sessions', { token })).data[0].amr
  t.deepEqual(await amr(), ['pwd', 'hwk', 'user', 'mfa'])
  t.is((await api.ask('POST /users/me/recovery-codes', { token })).status, 201)
  t.is((await api.ask(`DELETE /users/me/passkeys/${made.data.id}`, { token })).status, 200)
  t.deepEqual(await amr(), ['pwd'])
})
