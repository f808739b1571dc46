// What an organization's provider that may not speak for a person's address is worth: the organization's own clients, and nothing else of theirs.
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { enterPassword, hiddenOf } from '../support/factor-journeys.ts'
import { mailTo } from '../support/mails.ts'
import { visitor } from '../support/passkeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { beginSignIn } from '../support/sign-in-pages.ts'
import { alertOf, claimsOf, makeConnection, makeTenant, pressConnection, somebody } from '../support/upstream-journeys.ts'
import { startUpstream, type Upstream } from '../support/upstreams/upstream.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let upstream: Upstream
test.before(async () => {
  ;[server, upstream] = await Promise.all([startServer(), startUpstream()])
})
test.after.always(async () => {
  await server?.close()
  await upstream?.close()
})

const password = 'a password of the victim'
const confined = 'This provider signs you in to the applications of its own organization alone. Sign in another way.'
const rows = () => server.resources.database.prisma
const at = (path: string) => new URL(path, server.issuer)
const now = () => ({ auth_time: Math.floor(Date.now() / 1000) })

/** An organization whose provider is linked to somebody who was added, and how whoever runs it signs in by it. */
const makeGround = async ({ isEntitled = false } = {}) => {
  const tenant = await makeTenant(server)
  const { id: connection } = await makeConnection(server, upstream, { organizationId: tenant.id, name: 'Google' })
  const victim = await makeUser(server, { password, ...(isEntitled ? { email: `${randomUUID()}@${tenant.domain}` } : {}) })
  await server.services.members.add(systemActor, { organizationId: tenant.id, userId: victim.id, role: 'member' })
  const who = { ...somebody(), idToken: now() }
  const identity = await rows().identity.create({ data: { connectionId: connection, subject: who.sub, userId: victim.id } })
  const own = await makeClient(server, { organizationId: tenant.id })
  const signIn = async (client: Pick<typeof own, 'request' | 'configuration'> = own, parameters: Record<string, string> = {}, person = createPerson()) => {
    const { url, checks } = await client.request(parameters)
    const page = await person.follow(await person.get(url), redirectUri)
    const sent = await pressConnection(person, page, connection)
    const end = await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
    return { person, end, checks, configuration: client.configuration }
  }
  return { tenant, connection, victim, who, identity, own, signIn }
}
const open = async (person: Person, client: { request: (parameters?: Record<string, string>) => Promise<{ url: URL }> }, parameters = {}) =>
  person.follow(await person.get((await client.request(parameters)).url), redirectUri)
const isAsked = (t: ExecutionContext, { status, location, url }: Answer) => {
  t.is(location, undefined)
  t.is(status, 200)
  t.true(url.pathname.startsWith('/interaction/'))
}

test('whoever runs the provider signs in as the person at the organization’s own clients, and nowhere else', async t => {
  const { victim, own, tenant, signIn } = await makeGround()
  const signed = await signIn()
  t.is((await claimsOf(signed)).sub, victim.id)
  const { person } = signed
  t.truthy((await open(person, own)).location?.searchParams.get('code'))
  t.truthy((await open(person, own, { organization: tenant.id })).location?.searchParams.get('code'))
  const other = await makeTenant(server)
  await server.services.members.add(systemActor, { organizationId: other.id, userId: victim.id, role: 'owner' })
  isAsked(t, await open(person, await makeClient(server, { organizationId: other.id })))
  isAsked(t, await open(person, await makeClient(server)))
  isAsked(t, await open(person, own, { organization: other.id }))
  isAsked(t, await open(person, own, { resource: `${server.issuer}/api/v1` }))
  const silent = await open(person, await makeClient(server), { prompt: 'none' })
  t.is(silent.location?.searchParams.get('error'), 'login_required')
})

test('at no other client the provider signs the person in at all', async t => {
  const { signIn, connection } = await makeGround()
  for (const client of [await makeClient(server), await makeClient(server, {})]) {
    const { end } = await signIn(client, { connection })
    t.is(end.status, 403)
    t.is(alertOf(end), confined)
  }
})

test('a client of the organization that asks for another gets nothing by the provider', async t => {
  const { signIn, own, victim } = await makeGround()
  const other = await makeTenant(server)
  await server.services.members.add(systemActor, { organizationId: other.id, userId: victim.id, role: 'member' })
  const { end } = await signIn(own, { organization: other.id })
  t.is(end.location?.searchParams.get('error'), 'unmet_authentication_requirements')
})

test('the account centre and the API are closed to such a session, and open once the person signed in themselves', async t => {
  const { victim, own, signIn } = await makeGround()
  const { person } = await signIn()
  for (const path of ['/account/profile', '/account/identities', '/account/security', '/account/password']) {
    isAsked(t, await person.follow(await person.get(at(path)), redirectUri))
  }
  // As a page of ours asks.
  const cookieOf = () => [...person.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const ask = async () => (await fetch(at('/api/v1/auth/me'), { headers: { 'sec-fetch-site': 'same-origin', cookie: cookieOf() } })).status
  t.is(await ask(), 401)
  const { sid } = await rows().session.findFirstOrThrow({ where: { userId: victim.id, confinedTo: { not: null } } })
  const acting = { ...visitor(), kind: 'user' as const, id: victim.id, userId: victim.id, sessionId: sid }
  await t.throwsAsync(server.services.recentProofs.verify(acting), { code: 'reauthentication_required' })
  const page = await person.follow(await person.get(at('/account/security')), redirectUri)
  const security = await enterPassword(person, page, { email: victim.email, password })
  t.is(security.url.pathname, '/account/security')
  t.is(await ask(), 200)
  t.truthy((await open(person, await makeClient(server))).location?.searchParams.get('code'))
  t.truthy((await open(person, own)).location?.searchParams.get('code'))
})

test('a second factor makes no more of such a session', async t => {
  const { victim, own, signIn } = await makeGround()
  const { person } = await signIn()
  const session = await rows().session.findFirstOrThrow({ where: { userId: victim.id, confinedTo: { not: null } } })
  const stepped = await open(person, own, { acr_values: 'urn:authy2:acr:2' })
  t.true(stepped.url.pathname.startsWith('/interaction/'))
  await server.services.recentProofs.renew({ ...visitor(), kind: 'user', id: victim.id, userId: victim.id, sessionId: session.sid }, ['mfa', 'otp'])
  isAsked(t, await open(person, await makeClient(server)))
  isAsked(t, await person.follow(await person.get(at('/account/profile')), redirectUri))
})

test('a provider whose organization proved the domain of the person’s address signs them in everywhere', async t => {
  const { victim, signIn } = await makeGround({ isEntitled: true })
  const signed = await signIn()
  t.is((await claimsOf(signed)).sub, victim.id)
  t.truthy((await open(signed.person, await makeClient(server))).location?.searchParams.get('code'))
  t.is((await signed.person.follow(await signed.person.get(at('/account/profile')), redirectUri)).url.pathname, '/account/profile')
})

test('unlinking ends the sessions that the identity began, but for the one it is done in', async t => {
  const { victim, identity, own, signIn } = await makeGround()
  const { person } = await signIn()
  const owner = createPerson()
  const page = await enterPassword(owner, await owner.follow(await owner.get(at('/account/identities')), redirectUri), { email: victim.email, password })
  const done = await owner.post(at('/account/identities'), { csrf: hiddenOf(page).csrf ?? '', unlink: identity.id })
  t.is(done.status, 303)
  isAsked(t, await open(person, own))
  t.is((await owner.follow(await owner.get(at('/account/profile')), redirectUri)).url.pathname, '/account/profile')
  t.is(await rows().session.count({ where: { identityId: identity.id, endedAt: null } }), 0)
})

test('a sign-in that was under way while its identity was unlinked begins no session', async t => {
  const { victim, identity, own, connection, who } = await makeGround()
  const person = createPerson()
  const page = await person.follow(await person.get((await own.request()).url), redirectUri)
  const sent = await pressConnection(person, page, connection)
  const back = await person.get(await upstream.signIn(sent.location ?? '', who))
  const proven = await person.get(back.location ?? '')
  const user = await server.services.users.find(victim.id)
  if (!user) return t.fail()
  await server.services.identities.unlink({ ...visitor(), kind: 'user', id: victim.id, userId: victim.id }, { user, id: identity.id })
  await person.follow(proven, redirectUri)
  isAsked(t, await open(person, own))
})

for (const isEntitled of [false, true])
  test(`removing a person from an organization ends what its provider began, ${isEntitled ? 'also' : 'not only'} where it speaks for the address`, async t => {
    const { victim, tenant, signIn } = await makeGround({ isEntitled })
    const { person } = await signIn()
    const elsewhere = await beginSignIn(server)
    if (!isEntitled) await enterPassword(elsewhere.person, elsewhere.page, { email: victim.email, password })
    await server.services.members.remove(systemActor, { organizationId: tenant.id, userId: victim.id })
    isAsked(t, await open(person, await makeClient(server)))
    if (!isEntitled) t.truthy((await open(elsewhere.person, await makeClient(server))).location?.searchParams.get('code'))
  })

test('the page that links says who runs the provider, and shows the mark of none but the brand’s own', async t => {
  const { victim, tenant, who, connection, identity } = await makeGround()
  await rows().identity.delete({ where: { id: identity.id } })
  await rows().organization.update({ where: { id: tenant.id }, data: { name: 'Globex & Sons' } })
  const enterprise = await makeConnection(server, upstream, {
    organizationId: tenant.id,
    connector: 'github',
    name: 'GitHub',
    settings: { client_id: 'x', origin: upstream.local },
  })
  const real = await makeConnection(server, upstream, { organizationId: tenant.id, connector: 'github', name: 'GitHub', settings: { client_id: 'x' } })
  const person = createPerson()
  const page = await enterPassword(person, await person.follow(await person.get(at('/account/identities')), redirectUri), { email: victim.email, password })
  t.regex(page.body, /Link <bdi>Google<\/bdi> of <bdi>Globex &amp; Sons<\/bdi>/)
  t.true(page.body.includes('can then sign in as you there'))
  const buttonOf = (id: string) => new RegExp(`value="${id}".*?</button>`, 's').exec(page.body)?.[0] ?? ''
  t.false(buttonOf(connection).includes('brand-mark'))
  t.false(buttonOf(enterprise.id).includes('brand-mark'))
  t.true(buttonOf(real.id).includes('brand-mark'))
  const sent = await person.post(at('/account/identities'), { csrf: hiddenOf(page).csrf ?? '', connection })
  const linked = await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
  t.true(linked.body.includes('The account was linked'))
  t.true(linked.body.includes('Of <bdi>Globex &amp; Sons</bdi>'))
  const mail = await mailTo(server, victim.email, 'An account was linked to yours')
  t.true(mail.text.includes('An account at Google of Globex & Sons was linked'))
})

test('no name of a stranger’s puts a link into the mail of a link', async t => {
  const { victim, tenant, who, connection, identity } = await makeGround()
  await rows().identity.delete({ where: { id: identity.id } })
  await rows().connection.update({ where: { id: connection }, data: { name: 'see https://evil.example/unlock' } })
  await rows().organization.update({ where: { id: tenant.id }, data: { name: 'www.evil.example' } })
  const person = createPerson()
  const page = await enterPassword(person, await person.follow(await person.get(at('/account/identities')), redirectUri), { email: victim.email, password })
  const sent = await person.post(at('/account/identities'), { csrf: hiddenOf(page).csrf ?? '', connection })
  await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
  const linked = await rows().identity.findFirstOrThrow({ where: { userId: victim.id } })
  const user = await server.services.users.find(victim.id)
  if (!user) return t.fail()
  await server.services.identities.unlink({ ...visitor(), kind: 'user', id: victim.id, userId: victim.id }, { user, id: linked.id })
  for (const subject of ['An account was linked to yours', 'An account was unlinked from yours'])
    t.false((await mailTo(server, victim.email, subject)).text.includes('evil.example'))
})

test('an organization reads of every link to its connection, and of its end, however it came to be', async t => {
  const { victim, tenant, who, connection, identity } = await makeGround()
  await rows().identity.delete({ where: { id: identity.id } })
  const person = createPerson()
  const page = await enterPassword(person, await person.follow(await person.get(at('/account/identities')), redirectUri), { email: victim.email, password })
  const sent = await person.post(at('/account/identities'), { csrf: hiddenOf(page).csrf ?? '', connection })
  await person.follow(await person.get(await upstream.signIn(sent.location ?? '', who)), redirectUri)
  await server.services.members.remove(systemActor, { organizationId: tenant.id, userId: victim.id })
  const events = await rows().auditEvent.findMany({ where: { organizationId: tenant.id, action: { startsWith: 'identity.' } }, orderBy: { id: 'asc' } })
  t.deepEqual(
    events.map(({ action }) => action),
    ['identity.linked', 'identity.unlinked'],
  )
})

test('whoever runs the provider enrols no second factor on the person’s account, however one is demanded', async t => {
  const { victim, own, signIn } = await makeGround()
  const { end } = await signIn(own, {
    acr_values: 'urn:authy2:acr:2',
    claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:authy2:acr:2' } } }),
  })
  t.is(alertOf(end), confined)
  const { person } = await signIn()
  const stepUp = await open(person, own, { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:authy2:acr:2' } } }) })
  t.falsy(stepUp.location?.searchParams.get('code'))
  t.is(await rows().authenticator.count({ where: { userId: victim.id } }), 0)
})

test('whoever signed in by a connection moves it to another provider all the same, and is signed out by that', async t => {
  const { tenant, connection, victim, signIn } = await makeGround({ isEntitled: true })
  await rows().organizationMember.updateMany({ where: { userId: victim.id, organizationId: tenant.id }, data: { role: 'owner' } })
  const { person } = await signIn()
  const { sid } = await rows().session.findFirstOrThrow({ where: { userId: victim.id, kind: 'browser' } })
  const cookie = [...person.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const page = { 'sec-fetch-site': 'same-origin', cookie }
  const { data } = (await (await fetch(at('/api/v1/auth/me'), { headers: page })).json()) as { data: { csrf_token: string } }
  const headers = { ...page, origin: server.issuer, 'content-type': 'application/json', 'x-csrf-token': data.csrf_token }
  const body = JSON.stringify({ settings: { issuer: 'https://another.example', client_id: 'another' }, secrets: { client_secret: 'another' } })
  const moved = await fetch(at(`/api/v1/organizations/${tenant.id}/connections/${connection}`), { method: 'PATCH', headers, body })
  t.is(moved.status, 200, await moved.text())
  t.truthy((await rows().session.findFirstOrThrow({ where: { sid } })).endedAt)
})
