// Back-channel logout (OpenID Connect Back-Channel Logout 1.0): however a session ends, each of its clients is told once.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import * as client from 'openid-client'
import { readConfig } from '../../src/config.ts'
import { startAllJobs } from '../../src/jobs.ts'
import { logoutKind } from '../../src/oidc/logout-jobs.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import type { Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

const home = 'http://localhost:4000/'
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const sessionOf = (userId: string) => server.resources.database.prisma.session.findFirstOrThrow({ where: { userId }, orderBy: { createdAt: 'desc' } })
const artifacts = (sql: string, values: readonly unknown[]) => server.resources.database.pool.query(sql, [...values])
const waiting = async (to: TestServer = server) => (await to.resources.database.prisma.job.findMany({ where: { kind: logoutKind.name, deadAt: null } })).length

type Made = Parameters<typeof makeClient>[1] & { readonly answer?: (time: number) => number; readonly isSessionRequired?: boolean }

/** A person signed in at a client that is told of logouts. */
const makeTold = async (t: ExecutionContext, { answer, isSessionRequired = true, ...made }: Made = {}, on: TestServer = server) => {
  const receiver = await startLogoutReceiver({ answer })
  t.teardown(receiver.close)
  const metadata = { ...made.metadata, backchannel_logout_uri: receiver.uri, backchannel_logout_session_required: isSessionRequired }
  const relyingParty = await makeClient(on, { postLogoutRedirectUris: [home], ...made, metadata })
  const who = await makeUser(on)
  const signedIn = await relyingParty.signIn({ who })
  return { receiver, relyingParty, who, ...signedIn, claims: signedIn.tokens.claims() }
}
type Told = Awaited<ReturnType<typeof makeTold>>

const signOut = async (person: Person, at: string | URL) => {
  const page = await person.follow(await person.get(at), home)
  return person.follow(page.body.includes('name="logout"') ? await person.submit(page, { logout: 'yes' }) : page, home)
}
/** Waits for the first token and a moment longer, in which no second comes. */
const toldOnce = async (t: ExecutionContext, { receiver, relyingParty, claims }: Told) => {
  await until(() => receiver.posted.length > 0)
  await until(async () => (await waiting()) === 0)
  const [token] = await receiver.tokens(server.issuer, relyingParty.clientId)
  t.is(receiver.posted.length, 1)
  t.is(token?.sub, claims?.sub)
  t.is(token?.sid, claims?.sid)
}
const users = () => server.services.userAdministration
const asUser = (id: string) => ({ ...systemActor, kind: 'user', id, userId: id }) as const

const endings: Readonly<Record<string, (told: Told) => Promise<unknown>>> = {
  'the person signs out by the client': ({ person, relyingParty, tokens }) =>
    signOut(person, client.buildEndSessionUrl(relyingParty.configuration, { id_token_hint: tokens.id_token ?? '' })),
  'the person signs out without any client': ({ person }) => signOut(person, `${server.issuer}/oauth2/logout`),
  'the person ends the session in the account centre': async ({ who }) =>
    server.services.apiSessions.end(asUser(who.id), { userId: who.id, id: (await sessionOf(who.id)).id }),
  'the person ends all others from elsewhere': ({ who }) => server.services.apiSessions.endOthers(asUser(who.id), { userId: who.id }),
  'an administrator signs the user out everywhere': ({ who }) => users().endSessions(systemActor, who.id as never),
  'the user is suspended': ({ who }) => users().suspend(systemActor, who.id as never),
  'the user is deleted': ({ who }) => users().remove(systemActor, who.id as never),
  'the password is replaced': ({ who }) => server.services.signIn.setPassword(systemActor, { id: who.id, password: 'another violet umbrella' }),
  'somebody else signs in in the same browser': async ({ person, relyingParty }) => {
    const other = await makeUser(server)
    const made = await relyingParty.request({ prompt: 'login' })
    let page = await person.follow(await person.get(made.url), redirectUri)
    const change = /<a href="([^"]+)"[^>]*>Change/.exec(page.body)?.[1]
    if (change) page = await person.follow(await person.get(new URL(change, page.url)), redirectUri)
    page = await person.follow(await person.submit(page, { username: other.email }), redirectUri)
    page = await person.follow(await person.submit(page, { password: other.password, remember: 'yes' }), redirectUri)
    if (page.body.includes('logout/confirm')) await person.press(page, 'logout/confirm')
  },
  'the person takes consent back': ({ who, relyingParty }) =>
    server.services.consents.revoke(asUser(who.id), { userId: who.id, clientId: relyingParty.clientId }),
  'the person is only signed out of the client': async ({ person, relyingParty }) => {
    const page = await person.get(client.buildEndSessionUrl(relyingParty.configuration, {}))
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    await person.follow(await person.post(new URL(`${server.issuer}/oauth2/logout/confirm`), { xsrf }), home)
  },
  'the session expires': async ({ who }) => {
    await artifacts("UPDATE oidc_artifacts SET expires_at = now() - interval '1 day' WHERE kind = 'Session' AND account_id = $1", [who.id])
    const { database } = server.resources
    const sweep = () => database.prisma.$transaction(tx => server.services.endings.ofExpired(tx, 100))
    await Promise.all([sweep(), sweep(), sweep()])
  },
}

for (const [how, end] of Object.entries(endings)) {
  test(`the client is told once when ${how}`, async t => {
    const told = await makeTold(t)
    await end(told)
    await toldOnce(t, told)
  })
}

test('whoever leaves an organization is signed out of the clients that its members alone may use, and of no other', async t => {
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id, { role: 'owner' })
  const told = await makeTold(t)
  const { receiver, relyingParty, who, person, claims } = told
  const theirs = await startLogoutReceiver({})
  t.teardown(theirs.close)
  const metadata = { backchannel_logout_uri: theirs.uri, backchannel_logout_session_required: true }
  const inside = await makeClient(server, { organizationId, isMembersOnly: true, metadata })
  await server.services.members.add(systemActor, { organizationId, userId: who.id, role: 'member' })
  const { tokens } = await inside.signIn({ who, person })
  await server.services.members.remove(systemActor, { organizationId, userId: who.id })
  await until(() => theirs.posted.length > 0, 10)
  const [token] = await theirs.tokens(server.issuer, inside.clientId)
  t.is(token?.sid, tokens.claims()?.sid)
  t.is(receiver.posted.length, 0)
  await users().endSessions(systemActor, who.id as never)
  await until(() => receiver.posted.length > 0)
  await until(async () => (await waiting()) === 0)
  t.is((await receiver.tokens(server.issuer, relyingParty.clientId))[0]?.sid, claims?.sid)
  t.is(theirs.posted.length, 1)
})

test('endings that come together tell the client once', async t => {
  const told = await makeTold(t)
  const { who, person } = told
  await Promise.allSettled([
    users().suspend(systemActor, who.id as never),
    server.services.apiSessions.endOthers(asUser(who.id), { userId: who.id }),
    server.services.signIn.setPassword(systemActor, { id: who.id, password: 'another violet umbrella' }),
    signOut(person, `${server.issuer}/oauth2/logout`),
    server.services.consents.revoke(asUser(who.id), { userId: who.id, clientId: told.relyingParty.clientId }),
  ])
  await users().remove(systemActor, who.id as never)
  await toldOnce(t, told)
})

test('a session that goes on is not ended by the sweep, and an expired one is not forgotten before its clients are told', async t => {
  const told = await makeTold(t)
  const { database } = server.resources
  await database.prisma.$transaction(tx => server.services.endings.ofExpired(tx, 100))
  t.truthy((await told.person.get((await told.relyingParty.request({ prompt: 'none' })).url)).location?.searchParams.get('code'))
  await artifacts("UPDATE oidc_artifacts SET expires_at = now() - interval '1 day' WHERE kind = 'Session' AND account_id = $1", [told.who.id])
  await database.prisma.$transaction(tx => server.services.endings.ofExpired(tx, 100))
  await toldOnce(t, told)
})

test('all clients of a session are told, each of its own, and none of another session', async t => {
  const first = await makeTold(t)
  const second = await makeTold(t)
  const made = await second.relyingParty.request()
  const answer = await first.person.get(made.url)
  const claims = (await client.authorizationCodeGrant(second.relyingParty.configuration, answer.location as URL, made.checks)).claims()
  const elsewhere = await first.relyingParty.signIn({ who: first.who })
  await signOut(first.person, `${server.issuer}/oauth2/logout`)
  await toldOnce(t, first)
  await toldOnce(t, { ...second, claims })
  t.not(elsewhere.tokens.claims()?.sid, first.claims?.sid)
  t.not(claims?.sid, first.claims?.sid)
})

test('whoever changes their own password stays signed in where they did it, and nobody is told of that session', async t => {
  const told = await makeTold(t)
  const elsewhere = await told.relyingParty.signIn({ who: told.who })
  const { sid } = await server.resources.database.prisma.session.findFirstOrThrow({ where: { userId: told.who.id }, orderBy: { createdAt: 'desc' } })
  await server.services.signIn.setPassword(systemActor, { id: told.who.id, password: 'another violet umbrella', exceptSid: sid })
  await toldOnce(t, told)
  t.truthy((await elsewhere.person.get((await told.relyingParty.request({ prompt: 'none' })).url)).location?.searchParams.get('code'))
})

test('a logout token says what §2.4 asks for and nothing more', async t => {
  const told = await makeTold(t)
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  await toldOnce(t, told)
  const [{ method, type, form } = {}] = told.receiver.posted
  t.is(method, 'POST')
  t.regex(type ?? '', /^application\/x-www-form-urlencoded\b/)
  t.deepEqual([...(form?.keys() ?? [])], ['logout_token'])
  const [token] = await told.receiver.tokens(server.issuer, told.relyingParty.clientId)
  t.deepEqual(Object.keys(token ?? {}).sort(), ['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'])
  t.deepEqual(token?.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.true(Number(token?.exp) - Number(token?.iat) <= 120)
})

test('a client that does not ask for sid is told the subject alone', async t => {
  const told = await makeTold(t, { isSessionRequired: false })
  t.is(told.claims?.sid, undefined)
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  await toldOnce(t, told)
})

test('a client with pairwise subjects is told its own', async t => {
  const told = await makeTold(t, { metadata: { subject_type: 'pairwise' } })
  t.not(told.claims?.sub, told.who.id)
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  await toldOnce(t, told)
})

test('a client that fails is told again, by a token of its own, until it answers (§2.8: 204 will do)', async t => {
  const told = await makeTold(t, { answer: time => (time === 1 ? 503 : 204) })
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  await until(() => told.receiver.posted.length > 1)
  await until(async () => (await waiting()) === 0)
  const tokens = await told.receiver.tokens(server.issuer, told.relyingParty.clientId)
  t.is(tokens.length, 2)
  t.is(new Set(tokens.map(({ jti }) => jti)).size, 2)
  t.deepEqual(
    tokens.map(({ sid }) => sid),
    [told.claims?.sid, told.claims?.sid],
  )
})

test('a client that refuses the token (400) is given up at once, where administrators see it', async t => {
  const told = await makeTold(t, { answer: () => 400 })
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  const dead = async () => (await server.services.jobAdministration.list('dead', { limit: 50 })).rows.filter(({ kind }) => kind === logoutKind.name)
  await until(async () => (await dead()).length > 0)
  t.is(told.receiver.posted.length, 1)
  t.regex((await dead())[0]?.lastError ?? '', /refused/)
})

test('a client that is disabled is not told', async t => {
  const told = await makeTold(t)
  await server.services.clientAdministration.update(systemActor, { id: told.relyingParty.clientId }, { isDisabled: true })
  await users().suspend(systemActor, told.who.id as never)
  await sleep(300)
  t.is(told.receiver.posted.length, 0)
})

test.serial('what a client that never answers is to be told holds up nobody else', async t => {
  let connections = 0
  const deaf = createServer(() => {
    connections += 1
  }).listen(0, 'localhost')
  await once(deaf, 'listening')
  t.teardown(() => deaf.close())
  const dead = await makeClient(server, { metadata: { backchannel_logout_uri: `http://localhost:${(deaf.address() as AddressInfo).port}/` } })
  const { prisma } = server.resources.database
  const many = Array.from({ length: 60 }, (_, index) => ({ clientId: dead.clientId, userId: randomUUID(), sid: `sid-${index}` }))
  await prisma.$transaction(tx => server.services.queue.addAll(tx, { kind: logoutKind, payloads: many }))
  await until(async () => (await prisma.job.count({ where: { kind: logoutKind.name, lastError: null } })) === 0)
  t.true(connections < many.length, `${connections}`)
  const told = await makeTold(t)
  await signOut(told.person, `${server.issuer}/oauth2/logout`)
  await until(() => told.receiver.posted.length > 0)
  await prisma.job.deleteMany({ where: { kind: logoutKind.name } })
})

test.serial('the person’s own request sends nothing: what is to be sent waits in the database until somebody does it', async t => {
  const quiet = await startServer({ settings: { RUN_JOBS: 'false' } })
  t.teardown(quiet.close)
  const told = await makeTold(t, {}, quiet)
  await signOut(told.person, client.buildEndSessionUrl(told.relyingParty.configuration, { id_token_hint: told.tokens.id_token ?? '' }))
  await sleep(500)
  t.is(told.receiver.posted.length, 0)
  t.is(await waiting(quiet), 1)
  const { resources, services, app } = quiet
  const stop = startAllJobs({
    config: readConfig({ NODE_ENV: 'test', SECRET_KEY: 'x'.repeat(64), ISSUER: quiet.issuer }),
    resources,
    services,
    engine: app.protocol.engine,
  })
  await until(() => told.receiver.posted.length > 0)
  await stop()
  t.is(await waiting(quiet), 0)
  t.is((await told.receiver.tokens(quiet.issuer, told.relyingParty.clientId))[0]?.sid, told.claims?.sid)
})
