// Where people are signed in, as they see it, how long it lasts, and that they are told of a device that is new to them.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { purgeSessions } from '../../src/sessions/sessions.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { asksFor, enterPassword, go, hiddenOf, open } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { codeOf, linkOf, mailTo, subjectsTo } from '../support/mails.ts'
import { makeHolder } from '../support/passkeys.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { toCode, toSignUpCode } from '../support/sign-in-pages.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let portal: TestClient
test.before(async () => {
  api = await startApi({ API_REQUESTS_PER_MINUTE: '100000', TRUST_PROXY: '1' })
  portal = await makeClient(api.server)
})
test.after.always(() => api?.close())

const told = 'A new device signed in to your account'
const chrome = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
const login = (who: { email: string; password: string }, userAgent = 'papertrail/1.0', ip = '203.0.113.7') =>
  api.ask('POST /auth/login', { body: { email: who.email, password: who.password }, headers: { 'user-agent': userAgent, 'x-forwarded-for': ip } })
const noticesTo = async (email: string) => (await subjectsTo(api.server, email)).filter(subject => subject === told).length

test('the first sign-in of an account is told to nobody, and neither is a second in that browser', async t => {
  const user = await makeUser(api.server)
  const { person } = await portal.signIn({ who: user })
  await person.authorize((await portal.request({ prompt: 'login' })).url, { ...user, redirectUri })
  t.deepEqual(await subjectsTo(api.server, user.email), [])
})

test('a sign-in in another browser is told with its device, place and time, and what to do', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const other = createPerson({ 'user-agent': chrome, 'x-forwarded-for': '198.51.100.4' })
  await portal.signIn({ who: user, person: other })
  await portal.signIn({ who: user, person: other })
  const mail = await mailTo(api.server, user.email, told)
  t.regex(mail.text, /Chrome on macOS \(198\.51\.100\.4\)/)
  t.regex(mail.text, /\d{4} at \d{1,2}:\d\d [AP]M UTC/)
  t.regex(mail.text, /If it was not, sign that device out/)
  t.is(linkOf(mail).href, `${api.server.issuer}/account/sessions`)
  t.is(await noticesTo(user.email), 1)
})

test('nobody is told of a sign-in that did not come to its end, and of one that did in the browser where the first did not', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { code } = await enrolTotp(api.server, user)
  const person = createPerson()
  const half = await enterPassword(person, (await open(person, portal)).page, user)
  t.is(asksFor(half), 'second-factor')
  t.is(await noticesTo(user.email), 0)
  const asked = await open(person, portal)
  await asked.redeem(await go(person, await enterPassword(person, asked.page, user), { code: await code() }))
  t.is(await noticesTo(user.email), 1)
})

test('a step up and a silent authorization in a browser that is known tell nothing', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { person } = await portal.signIn({ who: user, person: createPerson() })
  t.is(await noticesTo(user.email), 1)
  const { code } = await enrolTotp(api.server, user)
  const stepped = await open(person, portal, { acr_values: 'urn:authy2:acr:2' })
  await stepped.redeem(await go(person, stepped.page, { code: await code() }))
  const silent = await open(person, portal, { prompt: 'none' })
  await silent.redeem(silent.page)
  t.is(await noticesTo(user.email), 1)
})

test('a sign-in by a mailed code is told too', async t => {
  const user = await makeUser(api.server)
  await portal.signIn({ who: user })
  const { person, page } = await toCode(api.server, user.email)
  await person.follow(await person.submit(page, { code: codeOf(await mailTo(api.server, user.email, 'sign-in code')) }), redirectUri)
  t.is(await noticesTo(user.email), 1)
})

test('a sign-in by passkey is told too', async t => {
  const { user, authenticator } = await makeHolder(api.server)
  const signIn = async () => {
    const person = createPerson()
    const asked = await open(person, portal)
    const { csrf = '' } = hiddenOf(asked.page)
    const beside = (path: string) => new URL(`${asked.page.url.pathname}/${path}`, asked.page.url)
    const options = JSON.parse((await person.post(beside('passkey/options'), { csrf })).body)
    await person.follow(await person.post(beside('passkey'), { csrf, response: JSON.stringify(authenticator.get(options)) }), redirectUri)
  }
  await signIn()
  t.is(await noticesTo(user.email), 0)
  await signIn()
  t.is(await noticesTo(user.email), 1)
})

test('whoever signs up is not told of it, also where a stranger made and used the account before', async t => {
  const who = { email: `${randomUUID()}@people.example`, password: 'violet umbrella 77' }
  const strangers = { email: who.email, password: 'a password of a stranger', full_name: 'A Stranger' }
  t.is((await api.ask('POST /auth/register', { body: strangers })).status, 201)
  t.is((await login(strangers)).status, 200)
  await mailTo(api.server, who.email, 'Confirm')
  const { person, page } = await toSignUpCode(api.server, who)
  const back = await person.follow(await person.submit(page, { code: codeOf(await mailTo(api.server, who.email, 'Confirm', 2)) }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  const subjects = await subjectsTo(api.server, who.email)
  t.deepEqual([...new Set(subjects)], ['Confirm your email address'])
})

test('over the API a program is known by its name and network, whatever its version', async t => {
  const user = await makeUser(api.server)
  t.is((await login(user)).status, 200)
  t.is((await login(user, 'papertrail/2.17.1', '203.0.113.99')).status, 200)
  t.is(await noticesTo(user.email), 0)
  await login(user, 'stapler/1.0')
  t.is(await noticesTo(user.email), 1)
  await login(user, 'papertrail/1.0', '198.51.100.4')
  await login(user, 'papertrail/1.0', '198.51.100.4')
  t.is(await noticesTo(user.email), 2)
})

test('of many sign-ins at once from one new place one is told', async t => {
  const user = await makeUser(api.server)
  await login(user)
  const replies = await Promise.all(Array.from({ length: 6 }, () => login(user, 'stapler/1.0', '198.51.100.9')))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [200])
  t.is(await noticesTo(user.email), 1)
})

test('a wrong password from a new place tells its user nothing', async t => {
  const user = await makeUser(api.server)
  await login(user)
  t.is((await login({ ...user, password: 'not the password' }, 'stapler/1.0')).status, 401)
  t.is(await noticesTo(user.email), 0)
})

test('who comes back after years to a new device is told, and what is old is forgotten', async t => {
  const { pool } = api.server.resources.database
  const user = await makeUser(api.server)
  await login(user)
  await pool.query("UPDATE known_devices SET seen_at = now() - interval '3 years' WHERE user_id = $1", [user.id])
  await login(user, 'stapler/1.0')
  t.is(await noticesTo(user.email), 1)
  t.is((await pool.query('SELECT 1 FROM known_devices WHERE user_id = $1', [user.id])).rows.length, 1)
})

const home = 'http://localhost:4000/'

const makeSignedIn = async () => {
  const who = await makeUser(api.server, { password })
  const parts = await makeClient(api.server, { postLogoutRedirectUris: [home] })
  return { who, parts, ...(await parts.signIn({ who })) }
}
const sessionsOf = (userId: string) => api.server.services.apiSessions.list(userId, { limit: 10 })
const rowOf = (userId: string) => api.server.resources.database.prisma.session.findFirstOrThrow({ where: { userId, kind: 'browser' } })

test('who signs out on the pages is signed in there no more, and one event tells of it', async t => {
  const { who, parts, person, tokens } = await makeSignedIn()
  t.is((await sessionsOf(who.id)).total, 1)
  const parameters = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: home }
  const page = await person.follow(await person.get(client.buildEndSessionUrl(parts.configuration, parameters)), home)
  if (page.body.includes('name="logout"')) await person.follow(await person.submit(page, { logout: 'yes' }), home)
  t.is((await sessionsOf(who.id)).total, 0)
  const { id, endedAt } = await rowOf(who.id)
  t.truthy(endedAt)
  t.is(await api.server.resources.database.prisma.auditEvent.count({ where: { action: 'session.ended', targetId: id } }), 1)
})

test('a session that goes on is shown for as long as it does', async t => {
  const { who, person } = await makeSignedIn()
  const { id } = await rowOf(who.id)
  await api.server.resources.database.prisma.session.update({ where: { id }, data: { expiresAt: new Date(Date.now() + 60_000) } })
  const another = await makeClient(api.server)
  t.truthy((await person.get((await another.request({ prompt: 'none' })).url)).location?.searchParams.get('code'))
  t.true((await rowOf(who.id)).expiresAt.getTime() > Date.now() + 13 * 86_400_000)
  await api.server.services.apiSessions.end(systemActor, { userId: who.id, id })
  await person.get((await another.request({ prompt: 'none' })).url)
  t.is((await sessionsOf(who.id)).total, 0, 'ended is ended')
})

test('an expired session is not shown; one that is over for thirty days is forgotten, and no other', async t => {
  const { id: userId } = await api.signIn()
  const { prisma } = api.server.resources.database
  const make = (sid: string, days: number, endedAt?: Date) =>
    prisma.session.create({ data: { userId, kind: 'browser', sid: `${userId} ${sid}`, amr: [], endedAt, expiresAt: new Date(Date.now() + days * 86_400_000) } })
  await Promise.all([make('living', 1), make('expired', -1), make('ended', 1, new Date()), make('old', -31), make('old and ended', -31, new Date(0))])
  t.is((await sessionsOf(userId)).total, 2, 'the living one and that of the API')
  const counts = await Promise.all([purgeSessions(api.server.resources.database, 100), purgeSessions(api.server.resources.database, 100)])
  t.is(counts[0] + counts[1], 2)
  t.is(await prisma.session.count({ where: { userId } }), 4)
})

const proving = async (who: { email: string }) => {
  const parts = await makeClient(api.server)
  const person = createPerson()
  const made = await parts.request()
  const page = await person.follow(await person.get(made.url), redirectUri)
  return { person, page: await person.follow(await person.submit(page, { username: who.email }), redirectUri) }
}
const living = (accountId: string) =>
  api.server.resources.database.prisma.oidcArtifact.count({ where: { kind: { in: ['Session', 'Grant'] }, accountId, revokedAt: null } })
const startOfSecond = () => sleep(1000 - (Date.now() % 1000) + 5)

test('a proof made in the very second before access ends becomes no session', async t => {
  const who = await makeUser(api.server, { password })
  const { person, page } = await proving(who)
  await startOfSecond()
  const proven = await person.submit(page, { password })
  await api.server.services.userAdministration.endSessions(systemActor, who.id)
  await person.follow(proven, redirectUri)
  t.is(await living(who.id), 0)
  t.is((await sessionsOf(who.id)).total, 0)
})

test('a proof made in the second in which access ended, but later, becomes a session', async t => {
  const who = await makeUser(api.server, { password })
  const { person, page } = await proving(who)
  await startOfSecond()
  await api.server.services.userAdministration.endSessions(systemActor, who.id)
  await sleep(2)
  await person.follow(await person.submit(page, { password }), redirectUri)
  t.is((await sessionsOf(who.id)).total, 1)
})

test('an old password that is being proven while it is replaced becomes no session', async t => {
  for (let round = 0; round < 4; round += 1) {
    const who = await makeUser(api.server, { password })
    const { person, page } = await proving(who)
    const replaced = api.server.services.signIn.setPassword(systemActor, { id: who.id, password: `quite another phrase ${round}` })
    await sleep(round * 20)
    const [proven] = await Promise.all([person.submit(page, { password }), replaced])
    await person.follow(proven, redirectUri)
    t.is(await living(who.id), 0)
    t.is((await sessionsOf(who.id)).total, 0)
  }
})

// The embedded database runs one transaction at a time: there nobody comes in between.
if (process.env.DATABASE_URL)
  test('an old password that is looked at while another replaces it, unseen as yet, becomes no session', async t => {
    const who = await makeUser(api.server, { password })
    const { person, page } = await proving(who)
    const { prisma } = api.server.resources.database
    let replaced: Promise<void> | undefined
    let proven: ReturnType<typeof person.submit> | undefined
    await prisma.$transaction(
      async tx => {
        // Access has ended, and the password cannot be replaced before this lock goes.
        await tx.$executeRaw`SELECT 1 FROM authentication_methods WHERE user_id = ${who.id}::uuid FOR UPDATE`
        replaced = api.server.services.signIn.setPassword(systemActor, { id: who.id, password: 'quite another phrase' })
        await sleep(500)
        proven = person.submit(page, { password })
        await sleep(500)
      },
      { timeout: 20_000 },
    )
    await replaced
    const answer = await proven
    if (answer) await person.follow(answer, redirectUri)
    t.is(answer?.status, 401)
    t.is(await living(who.id), 0)
    t.is((await sessionsOf(who.id)).total, 0)
  })

test('a session of the API does not begin on a proof as old as the ending of access', async t => {
  const { id: userId } = await makeUser(api.server, { password })
  const at = new Date()
  await api.server.resources.database.prisma.user.update({ where: { id: userId }, data: { accessEndedAt: at } })
  const begin = (since: Date) => api.server.services.apiSessions.begin(systemActor, { userId, amr: ['pwd'], since })
  for (const milliseconds of [-1, 0])
    await t.throwsAsync(begin(new Date(at.getTime() + milliseconds)), { code: 'invalid_credentials' as never }, String(milliseconds))
  t.truthy((await begin(new Date(at.getTime() + 1))).token)
})
