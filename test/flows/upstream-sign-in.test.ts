// Signing in by another provider, from our pages to a real provider and back, by redirect or by a form from another site, to tokens of
// ours that a relying-party library verified.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { Connector } from '../../src/connectors/connector.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { enrolTotp } from '../support/factors.ts'
import { codeOf, mailTo } from '../support/mails.ts'
import { visitor } from '../support/passkeys.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn, beside } from '../support/sign-in-pages.ts'
import { alertOf, claimsOf, makeConnection, makeTenant, pressConnection, signInBy, somebody, toCallback } from '../support/upstream-journeys.ts'
import { startGithub } from '../support/upstreams/github.ts'
import { startGoogle } from '../support/upstreams/known.ts'
import { createPosting } from '../support/upstreams/posting.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let upstream: Upstream
let google: Upstream
let open: string
let trusted: string
let connection: string
test.before(async () => {
  ;[upstream, google] = await Promise.all([startUpstream(), startGoogle()])
  server = await startServer({ world: [google] })
  open = (await makeConnection(server, upstream)).id
  trusted = (await makeConnection(server, upstream, { trustsEmails: true })).id
  ;(server.services.connectors as Map<string, Connector>).set(posting.id, posting)
  connection = (await makeConnection(server, { local: 'https://idp.example', client_id: 'x', client_secret: 'x' }, { connector: posting.id })).id
})
test.after.always(async () => {
  await server?.close()
  await upstream?.close()
  await google?.close()
})

const rows = () => server.resources.database.prisma
const events = (where: object) => rows().auditEvent.findMany({ where, orderBy: { id: 'asc' } })

test('somebody nobody knows becomes a user whose token says that another provider signed them in', async t => {
  const who = somebody()
  const claims = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  t.deepEqual(claims.amr, ['fed'])
  const user = await rows().user.findUniqueOrThrow({ where: { id: claims.sub }, include: { identities: true } })
  t.is(user.email, who.email)
  t.is(user.name, 'Una Stream')
  t.is(user.emailVerifiedAt, null)
  t.is(user.identities.length, 1)
  t.is(user.identities[0]?.subject, who.sub)
  t.deepEqual(
    (await events({ targetId: user.id, action: { startsWith: 'sign_in' } })).map(({ action, actorKind, actorId }) => [action, actorKind, actorId]),
    [['sign_in.succeeded', 'user', user.id]],
  )
})

test('an address that the provider is not believed on is asked to be confirmed by mail', async t => {
  const who = somebody()
  await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  t.truthy(await mailTo(server, who.email, 'Confirm your email address'))
})

test('who is known comes back as the same user, and what is told of them is replaced whole', async t => {
  const who = somebody({ department: 'research' })
  const first = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  const again = await claimsOf(
    await signInBy(server, { upstream, connection: open, who: { sub: who.sub, claims: { email: 'moved@people.example', badge: 7 } } }),
  )
  t.is(again.sub, first.sub)
  const identity = await rows().identity.findFirstOrThrow({ where: { userId: first.sub } })
  const told = identity.providerData as Record<string, unknown>
  t.is(told.badge, 7)
  t.is(told.department, undefined)
  t.is((await rows().user.findUniqueOrThrow({ where: { id: first.sub } })).email, who.email)
  t.notRegex(JSON.stringify(told), /access_token|refresh_token|id_token/)
})

test('a provider that is believed leads to the account whose address is verified, whose owner is told by mail', async t => {
  const user = await makeUser(server)
  const claims = await claimsOf(await signInBy(server, { upstream, connection: trusted, who: somebody({ email: user.email }) }))
  t.is(claims.sub, user.id)
  t.truthy(await mailTo(server, user.email, 'An account was linked to yours'))
})

test('a provider that is believed makes a user whose address is verified', async t => {
  const claims = await claimsOf(await signInBy(server, { upstream, connection: trusted, who: somebody() }))
  t.truthy((await rows().user.findUniqueOrThrow({ where: { id: claims.sub } })).emailVerifiedAt)
})

test('the people of an organization come by its connection and are its members, by the role that their groups give', async t => {
  const tenant = await makeTenant(server)
  const membership = {
    default: 'member',
    claim: 'groups',
    roles: [
      { value: 'nobody', role: 'owner' },
      { value: 'admins', role: 'admin' },
    ],
  }
  const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id, membership })
  const signIn = async (groups: unknown) => {
    const { person, page } = await beginSignIn(server)
    const who = somebody({ email: `${randomUUID()}@${tenant.domain}`, groups })
    const sent = await person.submit(page, { username: who.email })
    t.is(sent.location?.searchParams.get('login_hint'), who.email)
    await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
    const { userId } = await rows().identity.findFirstOrThrow({ where: { connectionId: connection, subject: who.sub } })
    const member = await rows().organizationMember.findFirst({ where: { organizationId: tenant.id, userId } })
    return member?.role
  }
  t.is(await signIn(['everybody', 'admins']), 'admin')
  t.is(await signIn(['everybody']), 'member')
  t.is(await signIn(undefined), 'member')
})

test('a role that the organization has no more is that of a member', async t => {
  const tenant = await makeTenant(server)
  await makeConnection(server, upstream, { organizationId: tenant.id, membership: { default: 'gone' } })
  const who = somebody({ email: `${randomUUID()}@${tenant.domain}` })
  const { person, page } = await beginSignIn(server)
  const sent = await person.submit(page, { username: who.email })
  await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
  const { id: userId } = await rows().user.findFirstOrThrow({ where: { email: who.email } })
  t.is((await rows().organizationMember.findFirst({ where: { organizationId: tenant.id, userId } }))?.role, 'member')
})

test('a domain that nobody proved leads nowhere', async t => {
  const tenant = await makeTenant(server, { isProven: false })
  await makeConnection(server, upstream, { organizationId: tenant.id })
  const { person, page } = await beginSignIn(server)
  const sent = await person.submit(page, { username: `${randomUUID()}@${tenant.domain}` })
  t.true(sent.location?.pathname.endsWith('/password'))
})

test('an address outside of the organization’s domains makes no user by its connection', async t => {
  const tenant = await makeTenant(server)
  const connection = await makeConnection(server, upstream, { organizationId: tenant.id })
  const who = somebody()
  const organizationClient = await makeClient(server, { organizationId: tenant.id })
  const made = await organizationClient.request({ connection: connection.id })
  const stranger = createPerson()
  const sent = await stranger.follow(await stranger.get(made.url), upstream.local)
  const end = await stranger.follow(await stranger.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
  t.is(end.status, 403)
  t.is(alertOf(end), 'That did not lead to an account here. Sign in another way or create an account; you can then link the two in your account.')
  t.is(await rows().user.count({ where: { email: who.email } }), 0)
})

test('a client leads to a connection by its id or that of its connector, once', async t => {
  for (const parameters of [{ connection: open }, { idp_hint: open }] as Record<string, string>[]) {
    const { request } = await makeClient(server)
    const person = createPerson()
    const { url } = await request({ ...parameters, login_hint: 'ida@people.example' })
    const sent = await person.follow(await person.get(url), upstream.local)
    t.true(sent.location?.href.startsWith(upstream.local))
    t.is(sent.location?.searchParams.get('login_hint'), 'ida@people.example')
    const page = await person.get(sent.url)
    t.is(page.status, 200)
    t.true(page.body.includes('name="username"'))
  }
})

test('what a client leads to and is not there shows the first page', async t => {
  for (const connection of ['nothing', randomUUID(), '']) {
    const { request } = await makeClient(server)
    const person = createPerson()
    const page = await person.follow(await person.get((await request({ connection })).url), redirectUri)
    t.is(page.status, 200)
    t.true(page.body.includes('name="username"'))
  }
})

test('whoever says no at the provider is back on the first page, which lets them try otherwise', async t => {
  const { person, page } = await beginSignIn(server)
  const sent = await pressConnection(person, page, open)
  const end = await person.follow(await person.get(await upstream.refuse(sent.location ?? '')), redirectUri)
  t.is(end.status, 403)
  t.is(alertOf(end), 'The other provider did not sign you in. Try again, or sign in another way.')
  t.is((await pressConnection(person, end, open)).status, 303)
})

for (const SIGN_IN_METHODS of ['email_code', 'password,email_code'])
  test(`after a failure whoever was led on by their address is offered a code by mail, with ${SIGN_IN_METHODS}`, async t => {
    const other = await startServer({ settings: { SIGN_IN_METHODS } })
    t.teardown(() => other.close())
    const tenant = await makeTenant(other)
    await makeConnection(other, { ...upstream, local: 'http://localhost:1' }, { organizationId: tenant.id })
    const { email } = await makeUser(other, { email: `ida@${tenant.domain}` })
    const { person, page } = await beginSignIn(other)
    const failed = await person.submit(page, { username: email })
    t.is(failed.status, 503)
    const code = await person.follow(await person.press(failed, '/email-code'), redirectUri)
    t.true(code.url.pathname.endsWith('/code'))
    const end = await person.follow(await person.submit(code, { code: codeOf(await mailTo(other, email, 'sign-in code')) }), redirectUri)
    t.truthy(end.location?.searchParams.get('code'))
  })

test('after a failure the password is asked of whoever was led on by their address', async t => {
  const tenant = await makeTenant(server)
  await makeConnection(server, upstream, { organizationId: tenant.id })
  const user = await makeUser(server, { email: `${randomUUID()}@${tenant.domain}` })
  const { person, page } = await beginSignIn(server)
  const sent = await person.submit(page, { username: user.email })
  const end = await person.follow(await person.get(await upstream.refuse(sent.location ?? '')), redirectUri)
  t.true(end.body.includes(beside(end.url, 'password').pathname))
  const password = await person.get(beside(end.url, 'password'))
  t.true((await person.follow(await person.submit(password, { password: user.password }), redirectUri)).location?.searchParams.has('code'))
})

test('a provider that cannot be reached is told of on the first page, with 503', async t => {
  const dead = await startUpstream()
  await dead.close()
  const { id } = await makeConnection(server, dead)
  const { person, page } = await beginSignIn(server)
  const end = await pressConnection(person, page, id)
  t.is(end.status, 503)
  t.is(alertOf(end), 'The other provider cannot be reached. Try again in a moment, or sign in another way.')
})

test('an authentication that must be of now is asked of the provider too', async t => {
  const { person, page } = await beginSignIn(server, { parameters: { prompt: 'login' } })
  const sent = await pressConnection(person, page, open)
  t.is(sent.location?.searchParams.get('max_age') ?? sent.location?.searchParams.get('prompt'), sent.location?.searchParams.has('max_age') ? '0' : 'login')
})

test('auth_time is when the provider asked', async t => {
  const at = Math.floor(Date.now() / 1000) - 3000
  const claims = await claimsOf(
    await signInBy(server, {
      upstream,
      connection: open,
      who: { ...somebody(), idToken: { auth_time: at } },
      parameters: { claims: JSON.stringify({ id_token: { auth_time: { essential: true } } }) },
    }),
  )
  t.is(claims.auth_time, at)
})

for (const parameters of [{ max_age: '300' }, { max_age: '0' }] as Record<string, string>[])
  test(`an authentication of the last ${parameters.max_age} seconds is asked of the provider too`, async t => {
    const { person, page } = await beginSignIn(server, { parameters })
    const sent = await pressConnection(person, page, open)
    t.is(sent.location?.searchParams.get('max_age'), '0')
  })

test('a client that is content with a sign-in of the last hour gets that of a provider that never asks again', async t => {
  const { id: connection } = await makeConnection(server, google, { connector: 'google', settings: { client_id: google.client_id } })
  const claims = await claimsOf(await signInBy(server, { upstream: google, connection, who: somebody(), parameters: { max_age: '3600' } }))
  t.true(Date.now() / 1000 - Number(claims.auth_time) < 60)
})

test('a sign-in at the provider that is older than the client allows is asked for again', async t => {
  const who = somebody()
  const at = Math.floor(Date.now() / 1000) - 4000
  const begun = await signInBy(server, { upstream, connection: open, who: { ...who, idToken: { auth_time: at } }, parameters: { max_age: '3600' } })
  t.is(begun.end.location, undefined)
  t.true(begun.end.url.pathname.startsWith('/interaction/'))
  const sent = await pressConnection(begun.person, begun.end, open)
  t.is(sent.location?.searchParams.get('max_age'), '0')
  const proven = { ...who, idToken: { auth_time: Math.floor(Date.now() / 1000) } }
  const end = await begun.person.follow(await begun.person.get(await upstream.signIn(sent.location ?? '', proven)), redirectUri)
  t.true(Number((await claimsOf({ ...begun, end })).auth_time) > at + 3600)
})

test('whoever was signed out everywhere comes in again by a provider that asked them long before', async t => {
  const who = { ...somebody(), idToken: { auth_time: Math.floor(Date.now() / 1000) - 3000 } }
  const first = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  await server.services.userAdministration.endSessions(systemActor, first.sub as never)
  t.is((await claimsOf(await signInBy(server, { upstream, connection: open, who }))).sub, first.sub)
})

test('of many who come first at once as the same person one user and one identity are made', async t => {
  const who = somebody()
  const callbacks = await Promise.all(Array.from({ length: 20 }, () => toCallback(server, { upstream, connection: open, who })))
  const claims = await Promise.all(
    callbacks.map(async begun => claimsOf({ ...begun, end: await begun.person.follow(await begun.person.get(begun.callback), redirectUri) })),
  )
  t.is(new Set(claims.map(({ sub }) => sub)).size, 1)
  t.is(await rows().identity.count({ where: { subject: who.sub } }), 1)
  t.is(await rows().user.count({ where: { email: who.email } }), 1)
})

test('the button that was used last says so', async t => {
  const { person } = await signInBy(server, { upstream, connection: open, who: somebody() })
  const { page } = await beginSignIn(server, { person, parameters: { prompt: 'login' } })
  t.regex(page.body, new RegExp(`value="${open}"[^§]*?data-last-used`))
})

test('what a provider says of two factors counts for none: whoever must have two sets one up', async t => {
  const who = somebody()
  const { sub } = await claimsOf(await signInBy(server, { upstream, connection: open, who: { ...who, idToken: { amr: ['mfa', 'otp'] } } }))
  t.truthy(sub)
  const { end } = await signInBy(server, {
    upstream,
    connection: open,
    who: { ...who, idToken: { amr: ['mfa', 'otp'], acr: 'urn:authy2:acr:2' } },
    parameters: { acr_values: 'urn:authy2:acr:2' },
  })
  t.is(end.status, 200)
  t.true(end.url.pathname.endsWith('/enrol'))
})

test('whoever added an authenticator app proves it after the provider too, and the token tells of both', async t => {
  const who = somebody()
  const { sub } = await claimsOf(await signInBy(server, { upstream, connection: open, who }))
  const { code } = await enrolTotp(server, { id: sub })
  const begun = await signInBy(server, { upstream, connection: open, who })
  t.true(begun.end.url.pathname.endsWith('/second-factor'))
  const end = await begun.person.follow(await begun.person.submit(begun.end, { code: await code() }), redirectUri)
  t.deepEqual(((await claimsOf({ ...begun, end })).amr as string[]).toSorted(), ['fed', 'mfa', 'otp'])
})

test('GitHub signs somebody in by their number and the address it verified', async t => {
  const github = await startGithub()
  t.teardown(() => github.close())
  const settings = { client_id: github.client_id, origin: github.local }
  const { id: connection } = await makeConnection(server, github, { connector: 'github', settings })
  const email = `${randomUUID()}@people.example`
  const { person, page, configuration, checks } = await beginSignIn(server)
  const sent = await pressConnection(person, page, connection)
  const callback = await github.signIn(sent.location ?? '', { user: { id: 4711 }, emails: [{ email, primary: true, verified: true }] })
  const end = await person.follow(await person.get(callback), redirectUri)
  const { sub, amr } = await claimsOf({ configuration, checks, end })
  t.deepEqual(amr, ['fed'])
  t.is((await rows().identity.findFirstOrThrow({ where: { connectionId: connection } })).subject, '4711')
  t.is((await rows().user.findUniqueOrThrow({ where: { id: sub } })).email, email)
})

test('who has to prove themselves again is told plainly where the provider cannot ask them to', async t => {
  const { id: connection } = await makeConnection(server, google, { connector: 'google', settings: { client_id: google.client_id } })
  const { person, page } = await beginSignIn(server, { parameters: { prompt: 'login' } })
  const told = await pressConnection(person, page, connection)
  t.is(alertOf(told), 'Google cannot ask you to prove yourself again. Choose another way.')
})

test('whoever has a session comes in without being asked, whatever a client leads to', async t => {
  const { person } = await signInBy(server, { upstream, connection: open, who: somebody() })
  const { page } = await beginSignIn(server, { person, parameters: { connection: open } })
  t.true(page.location?.searchParams.has('code'))
})

test('Google is believed on the addresses of its own and of its customers, and on no other', async t => {
  const { id: connection } = await makeConnection(server, google, { connector: 'google', settings: { client_id: google.client_id } })
  const domain = `${randomUUID()}.example`
  const signIn = async (email: string, claims: Readonly<Record<string, unknown>> = {}) => {
    const user = await makeUser(server, { email })
    const signedIn = await signInBy(server, { upstream: google, connection, who: somebody({ email, ...claims }) })
    return signedIn.end.location ? (await claimsOf(signedIn)).sub === user.id : alertOf(signedIn.end)
  }
  const neutral = 'That did not lead to an account here. Sign in another way or create an account; you can then link the two in your account.'
  t.true(await signIn(`${randomUUID().slice(0, 8)}@gmail.com`))
  t.true(await signIn(`ida@${domain}`, { hd: domain }))
  t.is(await signIn(`ida@other-${domain}`, { hd: domain }), neutral)
  t.is(await signIn(`ida@people-${domain}`), neutral)
})

for (const isTrusted of [true, false])
  test(`twenty proofs of one person at the same moment are of one user, by a provider that is ${isTrusted ? '' : 'not '}believed`, async t => {
    const connection = await server.services.connections.find(isTrusted ? trusted : open)
    if (!connection) return t.fail()
    for (let round = 0; round < 3; round += 1) {
      const subject = randomUUID()
      const identity = { subject, email: `${subject}@people.example`, isEmailVerified: true, claims: {} }
      const prove = () => server.services.upstreamSignIn.prove(visitor(), { connection, identity, maySignUp: async () => true })
      // A few milliseconds apart, so that some look for the person before and for the address after another made the user.
      const proofs = await Promise.all(Array.from({ length: 20 }, (_none, index) => sleep(index * 4).then(prove)))
      t.is(new Set(proofs.map(({ user }) => user.id)).size, 1)
      t.is(await rows().identity.count({ where: { subject } }), 1)
    }
  })

const posting = createPosting('https://idp.example/sso')

const begin = async () => {
  const begun = await beginSignIn(server)
  const page = await pressConnection(begun.person, begun.page, connection)
  return { ...begun, page, state: /name="RelayState" value="([^"]+)"/.exec(page.body)?.[1] ?? '' }
}
const answer = (body: Record<string, string>, person = createPerson()) =>
  person.post(new URL(`/connections/${connection}/callback`, server.issuer), body, { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' })

test('the page posts by itself, escapes what it posts, and has a button for who has no script', async t => {
  const { page } = await begin()
  t.is(page.status, 200)
  t.regex(page.body, /<form[^>]* action="https:\/\/idp\.example\/sso"[^>]* data-automatic>/)
  t.false(page.body.includes('<script>alert'))
  t.regex(page.body, /<button[^>]*type="submit">Continue</)
  t.is(page.headers.get('cache-control'), 'no-store')
  t.notRegex(page.headers.get('content-security-policy') ?? '', /form-action/)
})

test('the answer comes without our cookies, and the browser that began goes on with it', async t => {
  const { person, state, configuration, checks } = await begin()
  const received = await answer({ SAMLResponse: `${randomUUID()}@people.example`, RelayState: state })
  t.is(received.status, 303)
  t.is(received.headers.getSetCookie().length, 0)
  const end = await person.follow(received, redirectUri)
  const finished = await person.follow(await person.get(received.location ?? ''), redirectUri)
  t.deepEqual((await claimsOf({ configuration, checks, end: end.location ? end : finished })).amr, ['fed'])
})

test('an answer that is posted twice, or says its state twice, is refused', async t => {
  const { state } = await begin()
  const body = { SAMLResponse: 'x', RelayState: state }
  t.is((await answer({ ...body, state })).status, 400)
  t.is((await answer(body)).status, 303)
  t.is((await answer(body)).status, 400)
})

test('what a provider reads of us stands at the connection', async t => {
  const metadata = await createPerson().get(new URL(`/connections/${connection}/metadata`, server.issuer))
  t.is(metadata.status, 200)
  t.is(metadata.headers.get('content-type'), 'application/samlmetadata+xml')
  t.true(metadata.body.includes(`/connections/${connection}/metadata`))
  for (const id of [randomUUID(), 'x']) t.is((await createPerson().get(new URL(`/connections/${id}/metadata`, server.issuer))).status, 404)
})

test('a connection that is disabled still tells its provider of us, so that it can be set up first', async t => {
  const made = { connector: 'posting', name: 'Being set up', settings: {}, disabledAt: new Date() }
  const { id } = await server.resources.database.prisma.connection.create({ data: made })
  const read = async () => (await createPerson().get(new URL(`/connections/${id}/metadata`, server.issuer))).status
  t.is(await read(), 200)
  t.is(await server.services.connections.find(id), undefined)
  await t.throwsAsync(server.services.upstream.begin({ connectionId: id, binding: 'one', returnPath: '/', isAgain: false }), { code: 'connection_gone' })
  await server.resources.database.prisma.connection.update({ where: { id }, data: { deletedAt: new Date() } })
  server.services.connections.forget(id)
  t.is(await read(), 404)
})
