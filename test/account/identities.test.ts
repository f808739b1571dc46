// Accounts at other providers in the account centre and over the API: linked in one's own session alone, unlinked but for the last way in.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { enterPassword, hiddenOf } from '../support/factor-journeys.ts'
import { codeOf, mailTo } from '../support/mails.ts'
import { visitor as anybody } from '../support/passkeys.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer } from '../support/server.ts'
import { beginSignIn, beside, toCode } from '../support/sign-in-pages.ts'
import { until } from '../support/until.ts'
import { alertOf, claimsOf, makeConnection, makeTenant, pressConnection, signInBy, somebody } from '../support/upstream-journeys.ts'
import { startUpstream, type Upstream, type UpstreamPerson } from '../support/upstreams/upstream.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let upstream: Upstream
let connection: string
test.before(async () => {
  ;[api, upstream] = await Promise.all([startApi(), startUpstream()])
  connection = (await makeConnection(api.server, upstream)).id
})
test.after.always(async () => {
  await api?.close()
  await upstream?.close()
})

const path = '/account/identities'
const lastWay = 'This is the only way left to sign in. Add another first, such as a password or a passkey.'
const unusable = 'The answer of the other provider could not be used. Try again, or sign in another way.'
const at = (of: string) => new URL(of, api.server.issuer)
const rows = () => api.server.resources.database.prisma
const follow = async (person: Person, answer: Answer) => person.follow(answer, 'nowhere:')
const open = async (person: Person) => follow(person, await person.get(at(path)))
const visitor = async () => {
  const user = await makeUser(api.server, { password })
  const person = createPerson()
  return { user, person, page: await enterPassword(person, await open(person), user) }
}
const post = (person: Person, page: Answer, fields: Record<string, string>) => person.post(at(path), { csrf: hiddenOf(page).csrf ?? '', ...fields })
/** Presses the button of a link, and proves oneself there; answers the callback, which was not opened yet. */
const toLink = async (person: Person, page: Answer, who = somebody()) => {
  const sent = await post(person, page, { connection })
  return { who, callback: await upstream.signIn(sent.location ?? '', who) }
}
const identitiesOf = (userId: string) => rows().identity.findMany({ where: { userId } })
/** Links in the name of somebody. */
const addIdentity = async (userId: string, { subject = randomUUID(), by = connection }: { subject?: string; by?: string } = {}) => {
  const found = await api.server.services.connections.find(by)
  if (!found) throw new Error('there is no such connection')
  const sessionId = randomUUID()
  await rows().session.create({ data: { userId, sid: sessionId, kind: 'browser', expiresAt: new Date(Date.now() + 60_000) } })
  const actor = { ...anybody(), kind: 'user' as const, id: userId, userId, sessionId }
  await api.server.services.identities.link(actor, {
    connection: found,
    identity: { subject, isEmailVerified: false, claims: { login: subject } },
    userId: userId as never,
  })
  return rows().identity.findFirstOrThrow({ where: { userId, subject } })
}
/** Somebody who has nothing but their account at the provider, which asked them a moment ago unless told otherwise. */
const federated = async (idToken: UpstreamPerson['idToken'] = { auth_time: Math.floor(Date.now() / 1000) }) => {
  const who = { ...somebody(), idToken }
  const { person, ...rest } = await signInBy(api.server, { upstream, connection, who })
  const { sub } = await claimsOf(rest)
  return { who, person, id: sub }
}

test('a person links an account, is told by mail, and signs in with it from then on', async t => {
  const { user, person, page } = await visitor()
  t.is(page.url.pathname, path)
  const { who, callback } = await toLink(person, page)
  const done = await follow(person, await person.get(callback))
  t.is(done.url.pathname, path)
  t.true(done.body.includes('The account was linked'))
  t.true(done.body.includes(who.email))
  t.truthy(await mailTo(api.server, user.email, 'An account was linked to yours'))
  t.is((await claimsOf(await signInBy(api.server, { upstream, connection, who }))).sub, user.id)
})

test('a stranger who links to an account in somebody’s name links nothing once its owner proved the address, however long the provider takes', async t => {
  const slow = await startUpstream()
  t.teardown(() => slow.close())
  const by = (await makeConnection(api.server, slow)).id
  const email = `${randomUUID()}@people.example`
  const { id } = await api.server.services.users.create(systemActor, { email, name: 'Not them' })
  await api.server.services.signIn.setPassword(systemActor, { id, password })
  const stranger = createPerson()
  const page = await enterPassword(stranger, await open(stranger), { email, password })
  const sent = await post(stranger, page, { connection: by })
  const back = await stranger.get(await slow.signIn(sent.location ?? '', somebody()))
  const release = slow.hold()
  t.teardown(release)
  const linking = follow(stranger, back)
  await until(() => slow.requests.includes('POST /token'))
  const owner = await toCode(api.server, email)
  const code = codeOf(await mailTo(api.server, email, 'sign-in code'))
  const proven = await owner.person.follow(await owner.person.submit(owner.page, { code }), redirectUri)
  t.truthy(proven.location?.searchParams.get('code'))
  release()
  const end = await linking
  t.deepEqual(await identitiesOf(id), [])
  t.true(end.url.pathname.startsWith('/interaction/'))
})

test('nothing is linked in a session that ended, or is another’s', async t => {
  const [user, other] = [await makeUser(api.server), await makeUser(api.server)]
  const found = await api.server.services.connections.find(connection)
  if (!found) return t.fail()
  const sessionOf = (userId: string, endedAt?: Date) =>
    rows().session.create({ data: { userId, sid: randomUUID(), kind: 'browser', expiresAt: new Date(Date.now() + 60_000), ...(endedAt ? { endedAt } : {}) } })
  const sids = [undefined, randomUUID(), (await sessionOf(user.id, new Date())).sid, (await sessionOf(other.id)).sid]
  for (const sessionId of sids) {
    const identity = { subject: randomUUID(), isEmailVerified: false, claims: {} }
    const actor = { ...anybody(), kind: 'user' as const, id: user.id, userId: user.id, sessionId }
    const linking = api.server.services.identities.link(actor, { connection: found, identity, userId: user.id as never })
    t.is(((await t.throwsAsync(linking)) as { code?: string }).code, 'unauthenticated')
  }
  t.deepEqual(await identitiesOf(user.id), [])
})

test('link CSRF: an answer that was begun in another session links nothing', async t => {
  const [attacker, victim] = [await visitor(), await visitor()]
  const { callback } = await toLink(attacker.person, attacker.page)
  const end = await follow(victim.person, await victim.person.get(callback))
  t.is(end.status, 400)
  t.is(alertOf(end), unusable)
  t.deepEqual(await identitiesOf(victim.user.id), [])
})

test('whoever sends the provider’s address of their own link to somebody else links nothing of them', async t => {
  const { user, person, page } = await visitor()
  const sent = await post(person, page, { connection })
  const brought = await createPerson().get(await upstream.signIn(sent.location ?? '', somebody()))
  t.is(brought.status, 303)
  const state = sent.location?.searchParams.get('state') ?? ''
  for (const more of ['', `&answer=${state}`, `&answer=${randomUUID()}`]) {
    const end = await follow(person, await person.get(at(`${path}/return?state=${state}${more}`)))
    t.is(end.status, 400)
    t.is(alertOf(end), unusable)
  }
  t.deepEqual(await identitiesOf(user.id), [])
})

test('link CSRF: the form of a link is taken from our own page alone', async t => {
  const { person, page } = await visitor()
  const foreign = await person.post(at(path), { csrf: hiddenOf(page).csrf ?? '', connection }, { origin: 'https://evil.example' })
  t.is(foreign.status, 403)
  t.is((await person.post(at(path), { csrf: 'x', connection })).status, 403)
})

test('an answer to a sign-in is none to a link, nor the other way round', async t => {
  const { user, person, page } = await visitor()
  const { callback } = await toLink(person, page)
  const back = await person.get(callback)
  const begun = await beginSignIn(api.server, { person, parameters: { prompt: 'login' } })
  const crossed = await person.get(at(`${beside(begun.page.url, 'connection/return').pathname}${back.location?.search}`))
  t.is(crossed.status, 400)
  t.is(alertOf(crossed), unusable)
  const sent = await pressConnection(person, begun.page, connection)
  const signIn = await person.get(await upstream.signIn(sent.location ?? '', somebody()))
  const mistaken = await person.get(at(`${path}/return${signIn.location?.search}`))
  t.is(mistaken.status, 400)
  t.is(alertOf(mistaken), unusable)
  t.true((await follow(person, back)).body.includes('The account was linked'))
  t.is((await identitiesOf(user.id)).length, 1)
})

test('a link that is refused is in the audit log', async t => {
  const owner = await federated()
  const { user, person, page } = await visitor()
  const refusals = async () =>
    (await rows().auditEvent.findMany({ where: { action: 'identity.refused', targetId: user.id }, orderBy: { id: 'asc' } })).map(
      ({ target }) => (target as Record<string, unknown>).reason,
    )
  await follow(person, await person.get((await toLink(person, page, owner.who)).callback))
  t.deepEqual(await refusals(), ['identity_taken'])
  const sent = await post(person, page, { connection })
  await follow(person, await person.get(await upstream.refuse(sent.location ?? '')))
  t.deepEqual(await refusals(), ['identity_taken', 'upstream_refused'])
})

test('an account that is linked to somebody else is not linked, and nothing is told of them', async t => {
  const owner = await federated()
  const { user, person, page } = await visitor()
  const { callback } = await toLink(person, page, owner.who)
  const end = await follow(person, await person.get(callback))
  t.is(end.status, 409)
  t.is(alertOf(end), 'This account of the other provider cannot be linked.')
  t.deepEqual(await identitiesOf(user.id), [])
})

test('of twenty who link the same account at once one gets it', async t => {
  const people = await Promise.all(Array.from({ length: 20 }, () => makeUser(api.server)))
  const subject = randomUUID()
  const outcomes = await Promise.allSettled(people.map(({ id }) => addIdentity(id, { subject })))
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.is(outcome.reason.code, 'identity_taken')
})

test('the last way in is not unlinked, and the page says so', async t => {
  const { person, id } = await federated()
  const page = await open(person)
  t.is(page.url.pathname, path)
  const [identity] = await identitiesOf(id)
  const refused = await post(person, page, { unlink: identity?.id ?? '' })
  t.is(refused.status, 409)
  t.is(alertOf(refused), lastWay)
  t.is((await identitiesOf(id)).length, 1)
  await api.server.services.signIn.setPassword(systemActor, {
    id: id as never,
    password,
    exceptSid: (await rows().session.findFirstOrThrow({ where: { userId: id } })).sid ?? '',
  })
  const done = await follow(person, await post(person, page, { unlink: identity?.id ?? '' }))
  t.true(done.body.includes('The account was unlinked'))
  t.deepEqual(await identitiesOf(id), [])
})

test('whoever gets codes by mail to a verified address has a way in', async t => {
  const { person, id } = await federated()
  const page = await open(person)
  await rows().user.update({ where: { id }, data: { emailVerifiedAt: new Date() } })
  const [identity] = await identitiesOf(id)
  t.is((await post(person, page, { unlink: identity?.id ?? '' })).status, 303)
})

test('an account at a provider that was switched off is no way in', async t => {
  const { id } = await federated()
  const [first] = await identitiesOf(id)
  const other = (await makeConnection(api.server, upstream)).id
  await addIdentity(id, { by: other })
  await rows().connection.update({ where: { id: other }, data: { disabledAt: new Date() } })
  api.server.services.connections.forget(other)
  const user = await api.server.services.users.find(id)
  if (!user || !first) return t.fail()
  const unlinking = api.server.services.identities.unlink({ ...anybody(), kind: 'user', id, userId: id }, { user, id: first.id })
  t.is(((await t.throwsAsync(unlinking)) as { code?: string }).code, 'last_way_in')
})

test('a password is no way in where passwords are not asked for', async t => {
  const server = await startServer({ settings: { SIGN_IN_METHODS: 'email_code' } })
  t.teardown(() => server.close())
  const by = (await makeConnection(server, upstream)).id
  const { sub } = await claimsOf(await signInBy(server, { upstream, connection: by, who: somebody() }))
  await server.services.signIn.setPassword(systemActor, { id: sub as never, password })
  const user = await server.services.users.find(sub)
  const identity = await server.resources.database.prisma.identity.findFirstOrThrow({ where: { userId: sub } })
  if (!user) return t.fail()
  const unlinking = server.services.identities.unlink({ ...anybody(), kind: 'user', id: sub, userId: sub }, { user, id: identity.id })
  await t.throwsAsync(unlinking, { code: 'last_way_in' })
})

test('twenty unlinkings at once leave one way in', async t => {
  const { id } = await federated()
  for (let count = 0; count < 19; count += 1) await addIdentity(id)
  const user = await api.server.services.users.find(id)
  if (!user) return t.fail()
  const all = await identitiesOf(id)
  t.is(all.length, 20)
  const actor = { ...anybody(), kind: 'user' as const, id, userId: id }
  const outcomes = await Promise.allSettled(all.map(identity => api.server.services.identities.unlink(actor, { user, id: identity.id })))
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 19)
  t.is((await identitiesOf(id)).length, 1)
})

test('somebody without a password proves themselves again by their provider', async t => {
  const { who, person, id } = await federated()
  await api.server.resources.database.pool.query(
    `UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{loginTs}', to_jsonb((payload ->> 'loginTs')::bigint - 1000))::json WHERE kind = 'Session' AND account_id = $1`,
    [id],
  )
  const asked = await open(person)
  t.true(asked.url.pathname.startsWith('/interaction/'))
  const sent = await pressConnection(person, asked, connection)
  const page = await follow(
    person,
    await person.get(await upstream.signIn(sent.location ?? '', { ...who, idToken: { auth_time: Math.floor(Date.now() / 1000) } })),
  )
  t.is(page.url.pathname, path)
  t.is(page.status, 200)
})

for (const [how, idToken] of [
  ['does not say when it asked them', {}],
  ['asked them ten minutes ago', { auth_time: Math.floor(Date.now() / 1000) - 600 }],
] as const)
  test(`whoever is sent on by a provider that ${how} comes in, and to nothing sensitive before it asks them again`, async t => {
    const { who, person } = await federated(idToken)
    const profile = await follow(person, await person.get(at('/account/profile')))
    t.is(profile.url.pathname, '/account/profile')
    const asked = await open(person)
    t.true(asked.url.pathname.startsWith('/interaction/'))
    const sent = await pressConnection(person, asked, connection)
    t.is(sent.location?.searchParams.get('max_age'), '0')
    const proven = { ...who, idToken: { auth_time: Math.floor(Date.now() / 1000) } }
    const page = await follow(person, await person.get(await upstream.signIn(sent.location ?? '', proven)))
    t.is(page.url.pathname, path)
  })

test('over the API a silent sign-in by a provider is no recent proof', async t => {
  const { id } = await federated({})
  const { sid } = await rows().session.findFirstOrThrow({ where: { userId: id } })
  const verifying = api.server.services.recentProofs.verify({ ...anybody(), kind: 'user', id, userId: id, sessionId: sid ?? '' })
  await t.throwsAsync(verifying, { code: 'reauthentication_required' })
})

test('connections of an organization are offered to its members alone', async t => {
  const tenant = await makeTenant(api.server)
  const theirs = (await makeConnection(api.server, upstream, { organizationId: tenant.id })).id
  const { user, person, page } = await visitor()
  t.false(page.body.includes(theirs))
  t.is((await post(person, page, { connection: theirs })).status, 404)
  await api.server.services.members.add(systemActor, { organizationId: tenant.id, userId: user.id, role: 'member' })
  t.true((await open(person)).body.includes(theirs))
})

test('over the API a person lists their identities and unlinks one with a recent proof', async t => {
  const { id, token } = await api.signIn()
  const identity = await addIdentity(id)
  const listed = await api.ask('GET /users/me/identities', { token })
  t.is(listed.status, 200)
  t.deepEqual(
    listed.data.map(({ id, subject, connection: { connector } }: { id: string; subject: string; connection: { connector: string } }) => [
      id,
      subject,
      connector,
    ]),
    [[identity.id, identity.subject, 'oidc']],
  )
  await rows().session.updateMany({ where: { userId: id }, data: { provenAt: new Date(Date.now() - 600_000) } })
  t.is((await api.ask(`DELETE /users/me/identities/${identity.id}`, { token })).status, 403)
  await rows().session.updateMany({ where: { userId: id }, data: { provenAt: new Date() } })
  t.is((await api.ask(`DELETE /users/me/identities/${randomUUID()}`, { token })).status, 404)
  t.is((await api.ask(`DELETE /users/me/identities/${identity.id}`, { token })).status, 200)
  t.deepEqual((await api.ask('GET /users/me/identities', { token })).data, [])
})

test('another’s identity is none of one’s own', async t => {
  const [owner, other] = [await api.signIn(), await api.signIn()]
  const identity = await addIdentity(owner.id)
  t.is((await api.ask(`DELETE /users/me/identities/${identity.id}`, { token: other.token })).status, 404)
  for (const operation of [`GET /users/${owner.id}/identities`, `DELETE /users/${owner.id}/identities/${identity.id}`])
    t.is((await api.ask(operation, { token: other.token })).status, 403)
  t.is((await identitiesOf(owner.id)).length, 1)
})

test('an administrator sees what is linked and unlinks even the last way in, of which its owner is told', async t => {
  const token = await makeAdmin(api)
  const { who, id } = await federated()
  const listed = await api.ask(`GET /users/${id}/identities`, { token })
  t.is(listed.data[0].subject, who.sub)
  t.is(listed.data[0].provider_data.email, who.email)
  t.is((await api.ask(`DELETE /users/${id}/identities/${listed.data[0].id}`, { token })).status, 200)
  t.truthy(await mailTo(api.server, who.email, 'An account was unlinked from yours'))
})

test('what is kept of identities is in the export, and goes with the user', async t => {
  const { id, token } = await api.signIn()
  const identity = await addIdentity(id)
  const { data } = await api.ask('GET /users/me/export', { token })
  t.is(data.identities[0].subject, identity.subject)
  await rows().user.delete({ where: { id } })
  t.deepEqual(await identitiesOf(id), [])
})

test('what is kept under a deleted connection is in the export too, though it is shown nowhere', async t => {
  const { id, token } = await api.signIn()
  const { id: by } = await makeConnection(api.server, upstream)
  const identity = await addIdentity(id, { by })
  await rows().connection.update({ where: { id: by }, data: { deletedAt: new Date() } })
  const { data } = await api.ask('GET /users/me/export', { token })
  t.deepEqual(
    data.identities.map(({ subject, provider_data }: { subject: string; provider_data: unknown }) => [subject, provider_data]),
    [[identity.subject, { login: identity.subject }]],
  )
  t.deepEqual((await api.ask('GET /users/me/identities', { token })).data, [])
})
