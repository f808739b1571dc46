// Token exchange (RFC 8693): what is given for a token, to whom and for which organization, what it keeps to, and that it dies with what
// it came from.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient } from '../support/clients.ts'
import {
  accessTokenType,
  actorTokenOf,
  askExchange,
  exchange,
  exchangeGrant,
  exchangerGrants,
  introspect,
  isActive,
  makeExchanger,
  makeResource,
  makeSubject,
  tripsOf,
} from '../support/exchange.ts'
import { makeMember, makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let orders: string
let stock: string
let depot: string
test.before(async () => {
  server = await startServer()
  ;[orders, depot, stock] = await Promise.all([makeResource(server), makeResource(server), makeResource(server, { tokenFormat: 'opaque' })])
})
test.after.always(() => server?.close())

const audience = (identifier: string, scopes = ['read', 'write']) => ({ identifier, scopes })
const makeOrganization = async () => {
  const slug = `o-${randomUUID()}`
  return (await server.services.organizations.create(systemActor, { slug, name: slug })).id
}

test.serial('an exchange asks for what was presented, where it stands, and keeps a grant and an event; no more', async t => {
  const own = await makeExchanger(server)
  const { token } = await makeSubject(server, own, { resource: orders })
  // Where the token stands, its grant, the new grant; and four for the transaction of the event.
  t.is(await tripsOf(server, () => exchange(server, own, token)), 7)
})

test('a client narrows its own token, as an unmodified library asks for it', async t => {
  const own = await makeExchanger(server)
  const { who, token } = await makeSubject(server, own, { resource: orders })
  const answer = await client.genericGrantRequest(own.configuration, exchangeGrant, {
    subject_token: token,
    subject_token_type: accessTokenType,
    scope: 'read',
  })
  t.is(answer.issued_token_type, accessTokenType)
  t.is(answer.token_type, 'bearer')
  t.is(answer.scope, 'read')
  t.is(answer.refresh_token, undefined)
  const [said, before] = [decodeJwt(answer.access_token), decodeJwt(token)]
  t.like(said, { sub: who.id, client_id: own.clientId, aud: orders, scope: 'read', acr: before.acr, auth_time: before.auth_time })
  t.true(Number(said.exp) <= Number(before.exp))
  t.true(await isActive(own, answer.access_token))
})

test('a service exchanges what it was sent for a token of the next one', async t => {
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock)] })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  for (const target of [{ resource: stock }, { audience: stock }, { resource: stock, audience: stock }]) {
    const { access_token, scope } = await exchange(server, back, token, { ...target, scope: 'write' })
    t.is(scope, 'write')
    t.like(await introspect(back, access_token), { active: true, sub: who.id, client_id: back.clientId, aud: stock, scope: 'write' })
  }
})

test('without a scope the next service’s token has what the first one’s has and the policy allows', async t => {
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock, ['read', 'admin'])] })
  const { token } = await makeSubject(server, front, { resource: orders })
  t.is((await exchange(server, back, token, { resource: stock })).scope, 'read')
})

test('a service gets what the person granted the first client at the next service, and else the names that the token has; no policy adds to them', async t => {
  const front = await makeClient(server)
  const all = ['read', 'write', 'admin']
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock, all), audience(depot, all)] })
  const granted = { resource: stock, scope: 'openid admin' }
  const { token } = await makeSubject(server, front, { resource: orders, scope: 'openid read', granted })
  const given = async (resource: string, scope?: string) => {
    const { error, ...answer } = await askExchange(server, back, asked(token, { resource, ...(scope === undefined ? {} : { scope }) }))
    return error ?? answer.scope
  }
  t.is(await given(stock), 'admin')
  t.is(await given(stock, 'read'), 'invalid_scope')
  t.is(await given(depot), 'read')
  t.is(await given(depot, 'read write'), 'invalid_scope')
  // Whoever narrows a token before it is handed on narrows all that comes of it.
  const next = await makeExchanger(server, { allowed_clients: [back.clientId], audiences: [audience(stock, all)] })
  const narrowed = await exchange(server, back, token, { resource: depot })
  t.is((await askExchange(server, next, asked(narrowed.access_token, { resource: stock }))).scope, 'read')
  t.is((await askExchange(server, next, asked(narrowed.access_token, { resource: stock, scope: 'admin' }))).error, 'invalid_scope')
})

test('a public client narrows its own token where that is, whatever its policy names', async t => {
  const own = await makeExchanger(
    server,
    { audiences: [audience(stock)] },
    { authenticationMethod: 'none', grantTypes: exchangerGrants.filter(one => one !== 'client_credentials') },
  )
  const { token } = await makeSubject(server, own, { resource: orders })
  t.is((await exchange(server, own, token, { scope: 'read' })).scope, 'read')
  t.is((await askExchange(server, own, asked(token, { resource: stock }))).error, 'invalid_target')
})

test('a token that came back to a service has no more there than it had', async t => {
  const own = await makeExchanger(server, { audiences: [audience(orders, ['read', 'write', 'admin']), audience(stock)] })
  const granted = { resource: stock, scope: 'openid read write' }
  const { token } = await makeSubject(server, own, { resource: orders, scope: 'openid read', granted })
  const away = await exchange(server, own, token, { resource: stock, scope: 'read write' })
  t.is((await exchange(server, own, away.access_token, { resource: orders })).scope, 'read')
  const beyond = await askExchange(server, own, { subject_token: away.access_token, subject_token_type: accessTokenType, resource: orders, scope: 'write' })
  t.is(beyond.error, 'invalid_scope')
})

test('userinfo answers to a token that was exchanged for one of its own, with no more claims', async t => {
  const own = await makeExchanger(server)
  const { who, token } = await makeSubject(server, own)
  const { access_token, scope } = await exchange(server, own, token, { scope: 'openid email' })
  t.is(scope, 'openid email')
  t.is((await client.fetchUserInfo(own.configuration, access_token, who.id)).email, who.email)
  const bare = await exchange(server, own, token, { scope: 'openid' })
  t.is((await client.fetchUserInfo(own.configuration, bare.access_token, who.id)).email, undefined)
})

test('delegation names who acts, the most recent outermost (§4.1)', async t => {
  const front = await makeClient(server)
  const one = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(orders)], may_delegate: true, may_impersonate: false })
  const two = await makeExchanger(server, { allowed_clients: [one.clientId], audiences: [audience(stock)], may_delegate: true })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  const actor = { actor_token_type: accessTokenType }
  const first = await exchange(server, one, token, { ...actor, actor_token: await actorTokenOf(one) })
  t.deepEqual(decodeJwt(first.access_token).act, { sub: one.clientId, client_id: one.clientId })
  const second = await exchange(server, two, first.access_token, { ...actor, actor_token: await actorTokenOf(two), resource: stock })
  const told = await introspect(two, second.access_token)
  t.is(told.sub, who.id)
  t.deepEqual(told.act, { sub: two.clientId, client_id: two.clientId, act: { sub: one.clientId, client_id: one.clientId } })
  // Who acted is not forgotten where nobody new acts.
  t.deepEqual((await introspect(two, (await exchange(server, two, second.access_token)).access_token)).act, told.act)
})

test('a person acts for another by a token of their own, and it ends with either', async t => {
  const own = await makeExchanger(server, { may_delegate: true })
  const [customer, agent] = await Promise.all([makeSubject(server, own, { resource: orders }), makeSubject(server, own)])
  const given = { actor_token: agent.token, actor_token_type: accessTokenType }
  const { access_token } = await exchange(server, own, customer.token, given)
  t.like(decodeJwt(access_token), { sub: customer.who.id, act: { sub: agent.who.id } })
  await server.services.userAdministration.suspend(systemActor, agent.who.id as never)
  await until(async () => !(await isActive(own, access_token)))
  t.true(await isActive(own, customer.token))
})

test('may_act is honoured, and carried on (§4.4)', async t => {
  const own = await makeExchanger(server, { may_delegate: true })
  const { token } = await makeSubject(server, own, { scope: 'openid' })
  const say = (sub: string) => server.resources.database.prisma.$executeRaw`
    UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{extra,may_act}', ${JSON.stringify({ sub })}::jsonb)::json
    WHERE kind = 'AccessToken' AND payload ->> 'clientId' = ${own.clientId}`
  await say('somebody-else')
  const asked = { subject_token: token, subject_token_type: accessTokenType }
  const actor = { actor_token: await actorTokenOf(own), actor_token_type: accessTokenType }
  for (const more of [{}, actor]) t.is((await askExchange(server, own, { ...asked, ...more })).error, 'invalid_request')
  await say(own.clientId)
  for (const more of [{}, actor]) {
    const { access_token } = await exchange(server, own, token, more)
    t.deepEqual((await introspect(own, access_token)).may_act, { sub: own.clientId })
  }
})

test('a token keeps its organization, and no exchange gives it one or another', async t => {
  const own = await makeExchanger(server)
  const [home, other] = [await makeOrganization(), await makeOrganization()]
  const { who, person, token } = await makeSubject(server, own, { resource: orders })
  for (const organizationId of [home, other]) await server.services.members.add(systemActor, { organizationId, userId: who.id as never, role: 'member' })
  const { tokens } = await own.signIn({ who, person, parameters: { scope: 'openid read', resource: orders, organization: home } })
  const refused = async (subject_token: string, organization: string) =>
    (await askExchange(server, own, { subject_token, subject_token_type: accessTokenType, organization })).error
  for (const organization of [home, other, 'no-such-organization', randomUUID()]) t.is(await refused(token, organization), 'invalid_request')
  const { access_token } = await exchange(server, own, tokens.access_token, { organization: home })
  t.is(decodeJwt(access_token).org_id, home)
  t.is(await refused(access_token, other), 'invalid_request')
  const next = await exchange(server, own, access_token)
  t.is(decodeJwt(next.access_token).org_id, home)
  t.true(await isActive(own, next.access_token))
  await server.services.members.remove(systemActor, { organizationId: home, userId: who.id } as never)
  for (const one of [access_token, next.access_token]) t.false(await isActive(own, one))
  t.true(await isActive(own, token))
})

test('an exchange is told in the audit log once, and gives nobody a consent', async t => {
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock)] }, { isFirstParty: false })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  await exchange(server, back, token, { resource: stock, scope: 'read' })
  const events = await server.resources.database.prisma.auditEvent.findMany({ where: { action: 'token.exchanged', actorId: back.clientId } })
  t.deepEqual(
    events.map(({ target }) => target),
    [{ client_id: back.clientId, subject_client_id: front.clientId, user_id: who.id, audience: stock, scope: 'read' }],
  )
  t.deepEqual(
    (await server.services.consents.list(who.id)).map(({ clientId }) => clientId),
    [front.clientId],
  )
  // Consent is asked as ever.
  const { url } = await back.request({ scope: 'openid', resource: stock })
  const page = await createPerson().get(url)
  t.falsy(page.location?.searchParams.get('code'))
})

test('a token is exchanged eight times and no more', async t => {
  const own = await makeExchanger(server)
  let { token } = await makeSubject(server, own, { resource: orders })
  for (let n = 0; n < 8; n += 1) token = (await exchange(server, own, token)).access_token
  t.true(await isActive(own, token))
  t.is((await askExchange(server, own, { subject_token: token, subject_token_type: accessTokenType })).error, 'invalid_request')
})

test('an exchange that nobody’s policy allows is not for a client that was registered for the grant alone', async t => {
  const own = await makeClient(server, { grantTypes: ['authorization_code', exchangeGrant] })
  const who = await makeUser(server)
  const { tokens } = await own.signIn({ who })
  t.is((await askExchange(server, own, { subject_token: tokens.access_token, subject_token_type: accessTokenType })).error, 'unauthorized_client')
})

test('a bound token is exchanged with a proof by its key alone, and what is given is bound to it', async t => {
  const own = await makeExchanger(server)
  const [keyPair, otherPair] = await Promise.all([client.randomDPoPKeyPair('ES256', { extractable: true }), client.randomDPoPKeyPair('ES256')])
  const [DPoP, other] = [client.getDPoPHandle(own.configuration, keyPair), client.getDPoPHandle(own.configuration, otherPair)]
  const { refreshToken } = await makeSubject(server, own, { resource: orders })
  const { access_token } = await client.refreshTokenGrant(own.configuration, refreshToken, {}, { DPoP })
  const asked = { subject_token: access_token, subject_token_type: accessTokenType }
  const ask = (options?: client.DPoPOptions) => client.genericGrantRequest(own.configuration, exchangeGrant, asked, options)
  for (const options of [undefined, { DPoP: other }]) t.like(await t.throwsAsync(ask(options)), { error: 'invalid_request' })
  const bound = await ask({ DPoP })
  t.is(bound.token_type, 'dpop')
  t.is((await introspect(own, bound.access_token)).cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)))
})

test('a client that must bind its tokens exchanges none without a proof', async t => {
  const front = await makeClient(server)
  const back = await makeExchanger(
    server,
    { allowed_clients: [front.clientId], audiences: [audience(orders)] },
    { metadata: { dpop_bound_access_tokens: true } },
  )
  const { token } = await makeSubject(server, front, { resource: orders })
  const asked = { subject_token: token, subject_token_type: accessTokenType }
  t.is((await askExchange(server, back, asked)).error, 'invalid_grant')
  const DPoP = client.getDPoPHandle(back.configuration, await client.randomDPoPKeyPair('ES256'))
  t.is((await client.genericGrantRequest(back.configuration, exchangeGrant, asked, { DPoP })).token_type, 'dpop')
})

test('our own API answers to an exchanged token as to any, within its scope', async t => {
  const calls = createCalls(server.issuer)
  const identifier = `${server.issuer}/api/v1`
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(identifier, ['users:read'])] })
  const granted = { resource: identifier, scope: 'openid users:read' }
  const { who, token } = await makeSubject(server, front, { resource: orders, granted })
  const ask = async (path: string, bearer: string) => (await calls.call(`/api/v1${path}`, { headers: { authorization: `Bearer ${bearer}` } })).status
  const plain = await exchange(server, back, token, { resource: identifier, scope: 'users:read' })
  t.is(await ask('/users', plain.access_token), 403)
  await server.services.userAdministration.update(systemActor, who.id as never, { isAdmin: true })
  await until(async () => (await ask('/users', plain.access_token)) === 200)
  t.is(await ask('/clients', plain.access_token), 403)
  t.is(await ask('/users', token), 401)
  await client.tokenRevocation(front.configuration, token)
  t.is(await ask('/users', plain.access_token), 401)
  await calls.close()
})

test('a token of an organization’s client is not exchanged for our API by a client of another or of the system', async t => {
  const identifier = `${server.issuer}/api/v1`
  const front = await makeClient(server, { organizationId: await makeOrganization() })
  const step = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock)] })
  const back = await makeExchanger(server, { allowed_clients: [front.clientId, step.clientId], audiences: [audience(identifier, ['users:read'])] })
  const { token } = await makeSubject(server, front, { resource: orders })
  const asked = { subject_token_type: accessTokenType, resource: identifier, scope: 'users:read' }
  t.is((await askExchange(server, back, { ...asked, subject_token: token })).error, 'invalid_target')
  const away = await exchange(server, step, token, { resource: stock })
  t.is((await askExchange(server, back, { ...asked, subject_token: away.access_token })).error, 'invalid_target')
})
const asked = (token: string, more: Record<string, string> = {}) => ({ subject_token: token, subject_token_type: accessTokenType, ...more })
const requireFactor = (id: string) => server.services.organizations.update(systemActor, id as never, { isMfaRequired: true })

test('the organization of a token is named by its id or its slug', async t => {
  const own = await makeExchanger(server)
  const who = await makeMember(server, 1)
  const [{ id, slug } = { id: '', slug: '' }] = who.organizations
  const { tokens } = await own.signIn({ who, parameters: { scope: 'openid', organization: id } })
  for (const organization of [id, id.toUpperCase(), slug])
    t.is((await introspect(own, (await exchange(server, own, tokens.access_token, { organization })).access_token)).org_id, id)
})

test('a token for an organization that requires a second factor by now is exchanged no more without one', async t => {
  const own = await makeExchanger(server)
  const who = await makeMember(server, 1)
  const organization = who.organizations[0]?.id ?? ''
  const { tokens } = await own.signIn({ who, parameters: { scope: 'openid read', resource: orders, organization } })
  t.is((await askExchange(server, own, asked(tokens.access_token))).status, 200)
  await requireFactor(organization)
  await until(async () => (await askExchange(server, own, asked(tokens.access_token))).error === 'invalid_request')
  t.pass()
})

test('a client that is open to members alone exchanges the tokens of members alone', async t => {
  const front = await makeClient(server)
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const policy = { allowed_clients: [front.clientId], audiences: [audience(orders)] }
  const back = await makeExchanger(server, policy, { organizationId, isMembersOnly: true })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  t.is((await askExchange(server, back, asked(token))).error, 'invalid_request')
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: who.id, role: 'member' })
  t.true(await isActive(back, (await exchange(server, back, token)).access_token))
})

test('what was exchanged for a stranger’s token ends when its client becomes open to members alone', async t => {
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const front = await makeClient(server, { organizationId })
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(depot)] })
  const [stranger, member] = [await makeSubject(server, front, { resource: orders }), await makeSubject(server, front, { resource: orders })]
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: member.who.id, role: 'member' })
  const [ofStranger, ofMember] = await Promise.all([stranger, member].map(({ token }) => exchange(server, back, token, { resource: depot })))
  const { rows } = await server.services.clientAdministration.list({ organizationId }, { limit: 1, isAscending: true })
  await server.services.clientAdministration.update(systemActor, { id: rows[0]?.id ?? '' }, { isMembersOnly: true, expect: () => undefined })
  t.false(await isActive(back, ofStranger?.access_token ?? ''))
  t.true(await isActive(back, ofMember?.access_token ?? ''))
})

test('where roles decide, an exchanged token carries the scopes that the role holds in its organization, and is refused without one', async t => {
  const identifier = `https://${randomUUID()}.example/`
  const given = { identifier, name: 'R', scopes: ['read', 'write'], tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 600 } as const
  await server.services.resourceServers.create(systemActor, { ...given, requiresPermissions: true })
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(identifier)] })
  const { who, person, token } = await makeSubject(server, front, { resource: orders })
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const [role] = [`role-${randomUUID()}`]
  await server.services.roles.create(systemActor, { organizationId, name: role, permissions: [], resourceScopes: [`${identifier} read`] } as never)
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: who.id, role })
  const parameters = { scope: 'openid read write', resource: orders, organization: organizationId }
  const { tokens } = await front.signIn({ who, person, parameters })
  t.is(decodeJwt((await exchange(server, back, tokens.access_token, { resource: identifier })).access_token).scope, 'read')
  t.is((await askExchange(server, back, asked(tokens.access_token, { resource: identifier, scope: 'write' }))).error, 'invalid_scope')
  t.is((await askExchange(server, back, asked(token, { resource: identifier }))).error, 'invalid_scope')
})
