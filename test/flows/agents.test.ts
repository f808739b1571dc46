// Agents: they get what a person allows them, say that it is they who act, never become the person; and who owns one, and what becomes of it
// and of what it asked, when they go, or it passes to another.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { maxAgents } from '../../src/clients/agent.ts'
import { createEndAgents } from '../../src/clients/agent-endings.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeAgent, makeKey } from '../support/agents.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { ask, cibaGrant, redeem } from '../support/ciba.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, introspect, makeExchanger, makeResource, makeSubject, tripsOf } from '../support/exchange.ts'
import { linkToken, mailTo } from '../support/mails.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let server: TestServer
let jwt: string
let opaque: string
test.before(async () => {
  api = await startApi()
  ;({ server } = api)
  ;[jwt, opaque] = await Promise.all([makeResource(server), makeResource(server, { tokenFormat: 'opaque', clientAccess: 'listed' })])
})
test.after.always(() => api?.close())

const apiOf = () => `${server.issuer}/api/v1`

test('a person makes an agent, allows it on a page that says whose it is, and its tokens say that it acts', async t => {
  const person = await api.signIn()
  const made = await api.ask('POST /users/me/agents', { token: person.token, body: { name: 'Acme Helper', redirect_uris: [redirectUri] } })
  t.is(made.status, 201)
  const { agent, secret } = made.data
  const relyingParty = await createRelyingParty(server.issuer, { clientId: agent.client_id, secret })
  const request = await relyingParty.request({ scope: 'openid email offline_access read', prompt: 'consent', resource: jwt })
  const browser = createPerson()
  let page = await browser.follow(await browser.get(request.url), redirectUri)
  for (const answers of [{ username: person.email }, { password: 'a long enough password' }])
    if (page.body.includes(`name="${Object.keys(answers)[0]}"`))
      page = await browser.follow(await browser.submit(page, { username: person.email, password: 'a long enough password' }), redirectUri)
  t.true(page.body.includes('Acme Helper'))
  t.true(page.body.includes('An agent made by'))
  t.true(page.body.includes(person.email))
  const back = await browser.follow(await browser.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(relyingParty.configuration, back.location ?? new URL(server.issuer), request.checks)
  const claims = decodeJwt(tokens.access_token)
  t.is(claims.sub, person.id)
  t.deepEqual(claims.act, { sub: agent.client_id })
  t.like(tokens.claims(), { sub: person.id, act: { sub: agent.client_id } })
  const told = await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)
  t.deepEqual([told.active, told.sub, told.act], [true, person.id, { sub: agent.client_id }])
  const toldOfRefresh = await client.tokenIntrospection(relyingParty.configuration, tokens.refresh_token ?? '')
  t.deepEqual([toldOfRefresh.active, toldOfRefresh.act], [true, { sub: agent.client_id }])
  const next = await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')
  t.deepEqual(decodeJwt(next.access_token).act, { sub: agent.client_id })
  t.deepEqual(next.claims()?.act, { sub: agent.client_id })
  const own = await client.clientCredentialsGrant(relyingParty.configuration)
  const toldOfOwn = await client.tokenIntrospection(relyingParty.configuration, own.access_token)
  t.deepEqual([toldOfOwn.active, toldOfOwn.client_id, toldOfOwn.act], [true, agent.client_id, undefined])
})

test('an opaque token of an agent says at introspection that it acts', async t => {
  const who = await makeUser(server)
  const agent = await makeAgent(server, { ownerUserId: who.id })
  for (const parameters of [{ scope: 'openid email' }, { scope: 'openid read', resource: opaque }] as Record<string, string>[]) {
    const { tokens } = await agent.signIn({ who, parameters })
    const told = await introspect(agent, tokens.access_token)
    t.deepEqual([told.active, told.sub, told.act], [true, who.id, { sub: agent.clientId }])
  }
})

test('userinfo tells whoever asks with a token of an agent that it acts, also after an exchange, and of no other token', async t => {
  const front = await makeClient(server)
  const { who, token, tokens } = await makeSubject(server, front, { scope: 'openid email' })
  const policy = { allowed_clients: [front.clientId], audiences: [], may_impersonate: false, may_delegate: true }
  const agent = await makeAgent(server, { ownerUserId: who.id, tokenExchange: policy })
  const own = (await agent.signIn({ who, parameters: { scope: 'openid email' } })).tokens
  const exchanged = await exchange(server, agent, token)
  for (const one of [own, exchanged]) {
    const told = await client.fetchUserInfo(agent.configuration, one.access_token, who.id)
    t.deepEqual([told.email, told.act], [who.email, { sub: agent.clientId }])
  }
  t.deepEqual(own.claims()?.act, { sub: agent.clientId })
  const plain = await client.fetchUserInfo(front.configuration, token, who.id)
  t.deepEqual([plain.email, 'act' in plain, 'act' in (tokens.claims() ?? {})], [who.email, false, false])
})

test('whoever is not the owner is shut out of an agent, though they know its address', async t => {
  const [owner, other] = [await makeUser(server), await makeUser(server)]
  const agent = await makeAgent(server, { ownerUserId: owner.id })
  const told = await agent.signIn({ who: other }).catch(error => error)
  t.is(await refusal(Promise.reject(told)), 'access_denied')
  const reason = new URLSearchParams(told.cause).get('error_description') ?? ''
  t.true(reason.includes('agent') && !reason.includes('organization'), reason)
  for (const secret of [owner.id, owner.email]) t.false(reason.includes(secret))
  const front = await makeClient(server)
  await server.services.clientAdministration.update(
    systemActor,
    { id: agent.clientId },
    {
      tokenExchange: { allowed_clients: [front.clientId], audiences: [], may_impersonate: false, may_delegate: true },
    },
  )
  const { token } = await makeSubject(server, front, { scope: 'openid email' })
  t.is((await askExchange(server, agent, { subject_token: token, subject_token_type: accessTokenType })).error, 'invalid_request')
})

test('an agent of an organization acts for its members alone', async t => {
  const owner = await makeUser(server)
  const { id: organizationId } = await makeOrganizationOf(server, owner.id, { role: 'owner' })
  const agent = await makeAgent(server, { organizationId })
  const { tokens } = await agent.signIn({ who: owner, parameters: { scope: 'openid email' } })
  t.deepEqual((await introspect(agent, tokens.access_token)).act, { sub: agent.clientId })
  t.is(await refusal(agent.signIn({ who: await makeUser(server) })), 'access_denied')
})

test('an exchange by an agent names it, with and without an actor token, and never twice', async t => {
  const front = await makeClient(server)
  const subject = await makeSubject(server, front, { scope: 'openid email', granted: { resource: jwt, scope: 'openid read' } })
  const policy = { allowed_clients: [front.clientId], audiences: [{ identifier: jwt, scopes: ['read'] }], may_impersonate: false, may_delegate: true }
  const agent = await makeAgent(server, { ownerUserId: subject.who.id, tokenExchange: policy })
  const actor = { actor_token: (await client.clientCredentialsGrant(agent.configuration)).access_token, actor_token_type: accessTokenType }
  for (const more of [{}, actor]) {
    const { access_token: token } = await exchange(server, agent, subject.token, { resource: jwt, scope: 'read', ...more })
    t.deepEqual(decodeJwt(token).act, { sub: agent.clientId })
    t.is(decodeJwt(token).sub, subject.who.id)
    const again = await exchange(server, agent, token)
    t.deepEqual(decodeJwt(again.access_token).act, { sub: agent.clientId })
  }
  const service = await makeExchanger(server, { allowed_clients: [agent.clientId], audiences: [{ identifier: jwt, scopes: ['read'] }] })
  const held = await exchange(server, agent, subject.token, { resource: jwt, scope: 'read' })
  t.deepEqual(decodeJwt((await exchange(server, service, held.access_token)).access_token).act, { sub: agent.clientId })
})

test('the audit log tells that a person acted, and by which agent', async t => {
  const admin = await makeAdmin(api)
  const { data: me } = await api.ask('GET /auth/me', { token: admin })
  const { id: organizationId } = await makeOrganizationOf(server, me.id, { role: 'owner' })
  const agent = await makeAgent(server, { organizationId })
  const { tokens } = await agent.signIn({
    who: { email: me.email, password: 'a long enough password' },
    parameters: { scope: 'openid organizations:write', resource: apiOf() },
  })
  t.is((await api.ask(`PATCH /organizations/${organizationId}`, { token: tokens.access_token, body: { name: 'By an agent' } })).status, 200)
  const { rows } = await server.services.auditLog.list({ actorId: me.id }, { limit: 20 })
  const event = rows.find(({ action }) => action === 'organization.updated')
  t.is(event?.actor.kind, 'user')
  t.is(event?.target.details.via_agent, agent.clientId)
})

test('a person’s agent reads the API with what its owner may see, changes nothing there, and is never the person', async t => {
  const admin = await makeAdmin(api)
  const { data: me } = await api.ask('GET /auth/me', { token: admin })
  const agent = await makeAgent(server, { ownerUserId: me.id })
  const who = { email: me.email, password: 'a long enough password' }
  const { tokens } = await agent.signIn({ who, parameters: { scope: 'openid users:read users:write', resource: apiOf() } })
  t.is(decodeJwt(tokens.access_token).scope, 'users:read')
  const token = tokens.access_token
  t.is((await api.ask('GET /users', { token })).status, 200)
  t.is((await api.ask('POST /users', { token, body: { email: `${randomUUID()}@people.example` } })).status, 403)
  for (const one of ['GET /users/me/agents', 'POST /users/me/agents', 'DELETE /users/me'])
    t.is((await api.ask(one, { token, ...(one.startsWith('POST') ? { body: { name: 'Another' } } : {}) })).status, 403)
  t.is(await refusal(client.clientCredentialsGrant(agent.configuration, { resource: apiOf(), scope: 'users:read' })), 'invalid_target')
})

test('what a person’s agent held reads the API and changes nothing there, however often and by whomever it is exchanged, and says who acted', async t => {
  const admin = await makeAdmin(api)
  const { data: me } = await api.ask('GET /auth/me', { token: admin })
  const audiences = [{ identifier: apiOf(), scopes: ['users:read', 'users:write', 'organizations:write'] }]
  const agent = await makeAgent(server, { ownerUserId: me.id })
  const first = await makeExchanger(server, { allowed_clients: [agent.clientId], audiences })
  const second = await makeExchanger(server, { allowed_clients: [first.clientId], audiences })
  const who = { email: me.email, password: 'a long enough password' }
  const granted = { resource: apiOf(), scope: 'openid users:read users:write' }
  const { person } = await agent.signIn({ who, parameters: granted })
  const { tokens } = await agent.signIn({ who, person, parameters: { scope: 'openid email' } })
  const atFirst = await exchange(server, first, tokens.access_token, { resource: apiOf(), scope: 'users:read' })
  for (const [by, token] of [
    [first, tokens.access_token],
    [second, atFirst.access_token],
  ] as const) {
    const write = { subject_token: token, subject_token_type: accessTokenType, resource: apiOf(), scope: 'users:read users:write' }
    t.is((await askExchange(server, by, write)).error, 'invalid_scope')
    const read = await exchange(server, by, token, { resource: apiOf(), scope: 'users:read' })
    t.is((await api.ask('GET /users', { token: read.access_token })).status, 200)
  }
})

test('the audit log tells by which agent a person acted, also where another exchanged its token', async t => {
  const admin = await makeAdmin(api)
  const { data: me } = await api.ask('GET /auth/me', { token: admin })
  const { id: organizationId } = await makeOrganizationOf(server, me.id, { role: 'owner' })
  const agent = await makeAgent(server, { organizationId })
  const audiences = [{ identifier: apiOf(), scopes: ['organizations:write'] }]
  const service = await makeExchanger(server, { allowed_clients: [agent.clientId], audiences }, { organizationId })
  const who = { email: me.email, password: 'a long enough password' }
  const { person } = await agent.signIn({ who, parameters: { resource: apiOf(), scope: 'openid organizations:write' } })
  const { tokens } = await agent.signIn({ who, person, parameters: { scope: 'openid email' } })
  const once = await exchange(server, service, tokens.access_token, { resource: apiOf(), scope: 'organizations:write' })
  const { access_token: token } = await exchange(server, service, once.access_token)
  t.is((await api.ask(`PATCH /organizations/${organizationId}`, { token, body: { name: 'By a chain' } })).status, 200)
  const { rows } = await server.services.auditLog.list({ actorId: me.id }, { limit: 20 })
  t.is(rows.find(({ action }) => action === 'organization.updated')?.target.details.via_agent, agent.clientId)
})

test('a person has so many agents and no more, also of those made at the same time', async t => {
  const { token } = await api.signIn()
  const answers = await Promise.all(Array.from({ length: maxAgents + 5 }, (_, n) => api.ask('POST /users/me/agents', { token, body: { name: `Agent ${n}` } })))
  t.is(answers.filter(({ status }) => status === 201).length, maxAgents)
  t.deepEqual([...new Set(answers.filter(({ status }) => status !== 201).map(({ error }) => error?.type))], ['CONFLICT'])
  const { data } = await api.ask('GET /users/me/agents', { token })
  t.is(data.length, maxAgents)
  t.is((await api.ask(`DELETE /users/me/agents/${data[0].id}`, { token })).status, 200)
  t.is((await api.ask('POST /users/me/agents', { token, body: { name: 'One more' } })).status, 201)
})

test('a person’s agent gets nothing for itself that is open to all clients, only what an administrator listed it for', async t => {
  const who = await makeUser(server)
  const agent = await makeAgent(server, { ownerUserId: who.id })
  const service = await makeClient(server, { isFirstParty: false, grantTypes: ['client_credentials'] })
  const asked = { resource: jwt, scope: 'read' }
  t.truthy((await client.clientCredentialsGrant(service.configuration, asked)).access_token)
  t.is(await refusal(client.clientCredentialsGrant(agent.configuration, asked)), 'invalid_target')
  const assertion = await assertionOf(server, agent)
  t.is(await refusal(client.genericGrantRequest(agent.configuration, jwtBearer, { assertion, ...asked })), 'invalid_target')
  const { prisma } = server.resources.database
  const kept = await prisma.resourceServer.findUniqueOrThrow({ where: { identifier: jwt } })
  const { id: clientId } = await prisma.client.findUniqueOrThrow({ where: { clientId: agent.clientId } })
  await prisma.resourceServerClient.create({ data: { resourceServerId: kept.id, clientId, scopes: ['read'] } as never })
  await prisma.resourceServer.update({ where: { id: kept.id }, data: { version: { increment: 1 } } })
  await until(
    async () => (await client.clientCredentialsGrant(agent.configuration, { ...asked, scope: 'read write' }).catch(() => undefined))?.scope === 'read',
  )
  t.is(decodeJwt((await client.clientCredentialsGrant(agent.configuration, asked)).access_token).sub, agent.clientId)
})

test('nobody sees or ends the agent of another', async t => {
  const [one, other] = [await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /users/me/agents', { token: one.token, body: { name: 'Mine' } })
  t.is((await api.ask(`DELETE /users/me/agents/${data.agent.id}`, { token: other.token })).status, 404)
  t.is((await api.ask(`PATCH /users/me/agents/${data.agent.id}`, { token: other.token, body: { disabled: true } })).status, 404)
  t.deepEqual((await api.ask('GET /users/me/agents', { token: other.token })).data, [])
  t.is((await api.ask(`PATCH /users/me/agents/${data.agent.id}`, { token: one.token, body: { disabled: false } })).status, 400)
})

test('administrators of an organization make its agents over the clients API; none is first-party or nobody’s', async t => {
  const admin = await makeAdmin(api)
  const person = await api.signIn()
  const { id } = await makeOrganizationOf(server, person.id, { role: 'admin' })
  const body = { name: 'House agent', is_agent: true, grant_types: ['client_credentials'] }
  const made = await api.ask(`POST /organizations/${id}/clients`, { token: person.token, body: { ...body, owner_user_id: person.id } })
  t.is(made.status, 201)
  t.deepEqual([made.data.client.is_agent, made.data.client.owner_user_id], [true, person.id])
  const ours = { name: 'AUTHY2 support' }
  const alike = await api.ask(`POST /organizations/${id}/clients`, { token: person.token, body: { ...body, ...ours } })
  t.deepEqual([alike.status, alike.error?.details.fields?.[0]?.path], [400, 'name'])
  t.is((await api.ask(`PATCH /organizations/${id}/clients/${made.data.client.id}`, { token: person.token, body: ours })).status, 400)
  t.is((await api.ask(`PATCH /organizations/${id}/clients/${made.data.client.id}`, { token: admin, body: ours })).status, 200)
  const stranger = await makeUser(server)
  t.is((await api.ask(`POST /organizations/${id}/clients`, { token: person.token, body: { ...body, owner_user_id: stranger.id } })).status, 404)
  t.is((await api.ask('POST /clients', { token: admin, body })).status, 400)
  t.is((await api.ask('POST /clients', { token: admin, body: { ...body, organization_id: id, first_party: true } })).status, 400)
  t.is((await api.ask('POST /clients', { token: admin, body: { ...body, is_agent: false, owner_user_id: person.id } })).status, 400)
  t.is((await api.ask(`PATCH /clients/${made.data.client.id}`, { token: admin, body: { first_party: true } })).status, 400)
  t.is((await api.ask(`PATCH /clients/${made.data.client.id}`, { token: admin, body: { is_agent: false } })).status, 400)
})

test('administrators change and end the agent that a person made, and enable it again', async t => {
  const [admin, person] = [await makeAdmin(api), await api.signIn()]
  const { agent } = (await api.ask('POST /users/me/agents', { token: person.token, body: { name: 'Mine' } })).data
  for (const body of [{ name: 'Renamed' }, { disabled: true }, { disabled: false }]) {
    const { status, data } = await api.ask(`PATCH /clients/${agent.id}`, { token: admin, body })
    t.is(status, 200)
    t.like(data, { ...body, is_agent: true, owner_user_id: person.id })
  }
})

test('what is an agent of a person they made themselves, and an organization’s is not theirs to end', async t => {
  const admin = await makeAdmin(api)
  const [person, owner] = [await api.signIn(), await api.signIn()]
  const body = { name: 'House agent', is_agent: true, grant_types: ['client_credentials'], owner_user_id: person.id }
  t.is((await api.ask('POST /clients', { token: admin, body })).status, 400)
  const { id } = await makeOrganizationOf(server, owner.id, { role: 'owner' })
  await server.services.members.add(systemActor, { organizationId: id, userId: person.id, role: 'member' })
  const made = await api.ask(`POST /organizations/${id}/clients`, { token: owner.token, body })
  t.is(made.status, 201)
  t.deepEqual((await api.ask('GET /users/me/agents', { token: person.token })).data, [])
  t.is((await api.ask(`DELETE /users/me/agents/${made.data.client.id}`, { token: person.token })).status, 404)
})

test('a resource server that asks hears nothing good of the token of an agent or client that is no more', async t => {
  const itself = await makeClient(server, { grantTypes: ['client_credentials'] })
  for (const tokenFormat of ['jwt', 'opaque'] as const) {
    const owner = await makeUser(server)
    const [agent, gone] = [await makeAgent(server, { ownerUserId: owner.id }), await makeClient(server, { grantTypes: ['client_credentials'] })]
    const clients = [
      { clientId: itself.clientId, scopes: [], detailsTypes: [], introspects: true },
      { clientId: agent.clientId, scopes: ['read'], detailsTypes: [] },
    ]
    const resource = await makeResource(server, { tokenFormat, clients })
    const [own, ofGone] = await Promise.all(
      [agent, gone].map(async one => (await client.clientCredentialsGrant(one.configuration, { resource, scope: 'read' })).access_token),
    )
    for (const token of [own, ofGone]) t.true((await introspect(itself, token ?? '')).active)
    await server.services.userAdministration.suspend(systemActor, owner.id)
    await server.services.clientAdministration.update(systemActor, { id: gone.clientId }, { isDisabled: true })
    await until(async () => !(await introspect(itself, own ?? '')).active && !(await introspect(itself, ofGone ?? '')).active, 5)
    await server.services.userAdministration.activate(systemActor, owner.id)
    await server.services.clientAdministration.update(systemActor, { id: gone.clientId }, { isDisabled: false })
    await until(async () => (await server.services.clients.find(gone.clientId)) !== undefined)
    for (const token of [own, ofGone]) t.false((await introspect(itself, token ?? '')).active, 'what ended does not come back')
  }
})

test.serial('whether its owner lives is asked with the client itself: one round trip a request, and none for clients that are no agents', async t => {
  const who = await makeUser(server)
  const agent = await makeAgent(server, { ownerUserId: who.id, refreshGraceSeconds: 300 })
  const { tokens } = await agent.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const plain = await makeClient(server, { isFirstParty: false, refreshGraceSeconds: 300 })
  const { tokens: others } = await plain.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const ofAgent = await tripsOf(server, () => client.tokenIntrospection(agent.configuration, tokens.access_token))
  const ofPlain = await tripsOf(server, () => client.tokenIntrospection(plain.configuration, others.access_token))
  t.true(ofAgent - ofPlain <= 1, `${ofAgent} round trips, and ${ofPlain} without an owner`)
})

const next = 'eleven silver kettles'
const linkFrom = async (email: string, subject: string) => linkToken(await mailTo(server, email, subject))
const recoveries: Record<string, (who: Awaited<ReturnType<typeof makeUser>>) => Promise<unknown>> = {
  'recover their account by mail': async ({ email }) => {
    await api.ask('POST /auth/password/forgot', { body: { email } })
    const token = await linkFrom(email, 'Choose a new password')
    return api.ask('POST /auth/password/reset', { body: { token, password: next } })
  },
  'get a new password of an administrator': async ({ id }) => api.ask(`POST /users/${id}/password`, { token: await makeAdmin(api), body: { password: next } }),
  'take a change of their address back': async ({ id, email }) => {
    const { userAdministration, emailChanges } = server.services
    const actor = { ...systemActor, kind: 'user', id, userId: id } as const
    const wanted = `${randomUUID()}@new.example`
    await emailChanges.request(actor, { user: await userAdministration.get(id), email: wanted })
    await emailChanges.confirm(actor, { end: 'old', token: await linkFrom(email, 'Approve') })
    await emailChanges.confirm(actor, { end: 'new', token: await linkFrom(wanted, 'Confirm your new email') })
    return emailChanges.undo(systemActor, await linkFrom(email, 'was changed'))
  },
  'prove their address first, after a stranger made the account': async ({ id, email }) => {
    await server.services.userAdministration.update(systemActor, id, { isEmailVerified: false })
    return server.services.change(systemActor, (tx, record) => server.services.acceptProof(tx, record, { userId: id, email }))
  },
}
for (const [how, recover] of Object.entries(recoveries))
  test.serial(`the agents of people who ${how} are empty ones, but for those of organizations`, async t => {
    const who = await makeUser(server)
    const { id: organizationId } = await makeOrganizationOf(server, who.id, { role: 'admin' })
    const [agent, house] = [await makeAgent(server, { ownerUserId: who.id }), await makeAgent(server, { ownerUserId: who.id, organizationId })]
    const [own, ofHouse] = await Promise.all([agent, house].map(async one => (await client.clientCredentialsGrant(one.configuration)).access_token))
    await recover(who)
    const again = await server.services.clientAdministration.addSecret(systemActor, { id: agent.clientId }, {})
    const renewed = await createRelyingParty(server.issuer, { clientId: agent.clientId, secret: again.secret, redirectUri })
    t.is(await refusal(client.clientCredentialsGrant(agent.configuration)), 'invalid_client')
    t.false((await client.tokenIntrospection(renewed.configuration, own ?? '')).active)
    const assertion = await assertionOf(server, agent)
    t.is(await refusal(client.genericGrantRequest(renewed.configuration, jwtBearer, { assertion })), 'invalid_grant')
    t.true((await introspect(house, ofHouse ?? '')).active)
  })

test.serial('whoever changes a password that they know keeps their agents, which are to be allowed anew', async t => {
  const who = await makeUser(server)
  const agent = await makeAgent(server, { ownerUserId: who.id })
  const { tokens } = await agent.signIn({ who, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const own = await client.clientCredentialsGrant(agent.configuration)
  const { token } = await api.signIn({ email: who.email })
  const changed = await api.ask('POST /users/me/password', { token, body: { current_password: who.password, new_password: next } })
  t.is(changed.status, 200)
  t.true((await introspect(agent, own.access_token)).active)
  t.is(await refusal(client.refreshTokenGrant(agent.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
})

/** An agent of an organization, its owner, and another member. */
const makeHouse = async () => {
  const [head, owner, member] = await Promise.all([makeUser(server), makeUser(server), makeUser(server)])
  const { id: organizationId } = await makeOrganizationOf(server, head.id, { role: 'owner' })
  for (const { id: userId } of [owner, member]) await server.services.members.add(systemActor, { organizationId, userId, role: 'admin' })
  const agent = await makeAgent(server, {
    organizationId,
    ownerUserId: owner.id,
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', cibaGrant],
    metadata: { backchannel_token_delivery_mode: 'poll' },
    tokenExchange: null,
  })
  return { organizationId, head, owner, member, agent }
}

const goings: Record<string, (house: Awaited<ReturnType<typeof makeHouse>>) => Promise<unknown>> = {
  'is suspended': ({ owner }) => server.services.userAdministration.suspend(systemActor, owner.id as never),
  'is deleted': ({ owner }) => server.services.userAdministration.remove(systemActor, owner.id as never),
  'leaves the organization': ({ owner, organizationId }) =>
    server.services.members.remove(systemActor, { organizationId: organizationId as never, userId: owner.id }),
}
const comings: Record<string, (house: Awaited<ReturnType<typeof makeHouse>>) => Promise<unknown>> = {
  'is suspended': ({ owner }) => server.services.userAdministration.activate(systemActor, owner.id as never),
  'is deleted': async ({ owner }) => server.services.userAdministration.restore(systemActor, owner.id as never),
  'leaves the organization': ({ owner, organizationId }) =>
    server.services.members.add(systemActor, { organizationId: organizationId as never, userId: owner.id, role: 'admin' }),
}
for (const [how, go] of Object.entries(goings))
  test(`what an agent asked of another member ends when its owner ${how}, and does not come back with them`, async t => {
    const house = await makeHouse()
    const { agent, member } = house
    await ask(agent, { login_hint: member.email })
    const waiting = () => server.services.backchannelRequests.list(member.id)
    t.is((await waiting()).length, 1)
    await go(house)
    t.is((await waiting()).length, 0)
    await comings[how]?.(house)
    t.is((await waiting()).length, 0)
  })

test('what a member of an organization was asked by its agent ends when they leave, and does not come back with them', async t => {
  const { agent, member, organizationId } = await makeHouse()
  const asked = await ask(agent, { login_hint: member.email })
  await server.services.members.remove(systemActor, { organizationId: organizationId as never, userId: member.id })
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: member.id, role: 'admin' })
  t.is((await server.services.backchannelRequests.list(member.id)).length, 0)
  t.is(await refusal(redeem(agent, asked)), 'access_denied')
})

test('an agent whose owner has left shows nothing to anybody, though what it asked was not ended', async t => {
  const { agent, owner, member, organizationId } = await makeHouse()
  await ask(agent, { login_hint: member.email })
  await server.resources.database.prisma.organizationMember.deleteMany({ where: { organizationId, userId: owner.id } })
  t.deepEqual([await server.services.backchannelRequests.countWaiting(member.id), await server.services.backchannelRequests.list(member.id)], [0, []])
})

/** An agent of an organization with all that it may hold, for its own and for its owner. */
const makeHolder = async (given: { readonly ownerUserId?: string } = {}) => {
  const [head, owner, next] = await Promise.all([makeUser(server), makeUser(server), makeUser(server)])
  const { id: organizationId } = await makeOrganizationOf(server, head.id, { role: 'owner' })
  for (const { id: userId } of [owner, next]) await server.services.members.add(systemActor, { organizationId, userId, role: 'admin' })
  const agent = await makeAgent(server, { organizationId, ownerUserId: owner.id, ...given })
  const witness = await makeClient(server, { organizationId, isFirstParty: false, grantTypes: ['client_credentials'] })
  const parameters = { scope: 'openid email offline_access', prompt: 'consent' }
  const { tokens } = await agent.signIn({ who: next, parameters })
  const jwt = await makeResource(server)
  const held = {
    opaque: tokens.access_token,
    refresh: tokens.refresh_token ?? '',
    own: (await client.clientCredentialsGrant(agent.configuration)).access_token,
    ownJwt: (await client.clientCredentialsGrant(agent.configuration, { resource: jwt, scope: 'read' })).access_token,
    exchanged: (await exchange(server, agent, tokens.access_token)).access_token,
  }
  const alive = async () => {
    const told = await Promise.all(Object.entries(held).map(async ([name, token]) => [name, (await introspect(witness, token)).active] as const))
    return told.filter(([, isActive]) => isActive).map(([name]) => name)
  }
  return { organizationId, head, owner, next, agent, held, alive }
}

type Holder = Awaited<ReturnType<typeof makeHolder>>
const administer = (agent: { clientId: string }, changes: object) => server.services.clientAdministration.update(systemActor, { id: agent.clientId }, changes)

const roundTrips: Record<string, (holder: Holder) => Promise<unknown>> = {
  'is disabled and enabled': async ({ agent }) => {
    await administer(agent, { isDisabled: true })
    await administer(agent, { isDisabled: false })
  },
  'is deleted and restored': async ({ agent }) => {
    await server.services.clientAdministration.remove(systemActor, { id: agent.clientId })
    await server.services.clientAdministration.restore(systemActor, { id: agent.clientId }, {})
  },
  'loses its owner for a while by suspension': async ({ owner }) => {
    await server.services.userAdministration.suspend(systemActor, owner.id as never)
    await server.services.userAdministration.activate(systemActor, owner.id as never)
  },
  'loses its owner for a while as a member': async ({ owner, organizationId }) => {
    const member = { organizationId: organizationId as never, userId: owner.id }
    await server.services.members.remove(systemActor, member)
    await server.services.members.add(systemActor, { ...member, role: 'admin' })
  },
  'has an organization that is deleted and restored': async ({ organizationId }) => {
    await server.services.organizations.remove(systemActor, organizationId as never)
    await server.services.organizations.restore(systemActor, organizationId as never)
  },
}
for (const [how, go] of Object.entries(roundTrips))
  test(`an agent that ${how} is an empty one`, async t => {
    const holder = await makeHolder()
    t.deepEqual(await holder.alive(), ['opaque', 'refresh', 'own', 'ownJwt', 'exchanged'])
    await go(holder)
    const { agent } = holder
    await until(async () => (await server.services.clients.find(agent.clientId)) !== undefined)
    t.deepEqual(await holder.alive(), [])
    t.is(await refusal(client.clientCredentialsGrant(agent.configuration)), 'invalid_client')
    const assertion = await assertionOf(server, agent)
    const { secret } = await server.services.clientAdministration.addSecret(systemActor, { id: agent.clientId }, {})
    const again = await createRelyingParty(server.issuer, { clientId: agent.clientId, secret, redirectUri })
    t.is(await refusal(client.genericGrantRequest(again.configuration, jwtBearer, { assertion })), 'invalid_grant')
    await until(
      async () => (await client.tokenIntrospection(again.configuration, (await client.clientCredentialsGrant(again.configuration)).access_token)).active,
    )
  })

test('an agent of an organization passes to another living member, and all that it held ends', async t => {
  const holder = await makeHolder()
  const { agent, owner, next, organizationId } = holder
  const token = await makeAdmin(api)
  const path = `/organizations/${organizationId}/clients/${agent.clientId}`
  const pass = (to: string) => api.ask(`PATCH ${path}`, { token, body: { owner_user_id: to } })
  t.is((await pass((await makeUser(server)).id)).status, 404, 'to no stranger')
  const gone = await makeUser(server)
  await server.services.members.add(systemActor, { organizationId, userId: gone.id, role: 'member' })
  await server.services.userAdministration.suspend(systemActor, gone.id as never)
  t.is((await pass(gone.id)).status, 404, 'to nobody who is suspended')
  t.deepEqual((await holder.alive()).length, 5, 'what was refused ended nothing')
  const passed = await pass(next.id)
  t.deepEqual([passed.status, passed.data.owner_user_id, passed.data.secrets], [200, next.id, []])
  t.deepEqual(await holder.alive(), [])
  const { rows } = await server.services.auditLog.list({ organizationId }, { limit: 50 })
  const event = rows.find(({ action }) => action === 'client.owner_changed')
  t.deepEqual([event?.target.details.owner_user_id, event?.target.details.previous_owner_user_id], [next.id, owner.id])
  await server.services.members.remove(systemActor, { organizationId: organizationId as never, userId: owner.id })
  t.truthy(await server.services.clients.find(agent.clientId), 'it does not end with whoever had it before')
})

test('an organization that is deleted takes its agents along, and says of each that its access ended', async t => {
  const { agent, organizationId } = await makeHolder()
  await server.services.organizations.remove(systemActor, organizationId as never)
  const { rows } = await server.services.auditLog.list({ organizationId }, { limit: 50 })
  const told = rows.filter(({ action }) => action === 'client.access_ended').map(({ target }) => target.details.client_id)
  t.deepEqual(told, [agent.clientId], 'once for the agent, and never for clients that are none: they are disabled with the organization')
})

test('keys that an agent had do not come back in the change that passes it on, whatever else is said of them; new ones stay', async t => {
  const { agent, member: next, owner } = await makeHouse()
  const [{ jwks: fresh }, { jwks: former }] = [await makeKey(), agent.key]
  await administer(agent, { metadata: { jwks: former } })
  const renamed = former.keys.map(key => ({ ...key, kid: 'another name' }))
  const passed = await administer(agent, { ownerUserId: next.id, metadata: { client_uri: 'https://a.example/', jwks: { keys: [...renamed, ...fresh.keys] } } })
  t.deepEqual(passed.metadata, { client_uri: 'https://a.example/', jwks: fresh })
  const same = await administer(agent, { ownerUserId: next.id, metadata: { jwks: fresh } })
  t.deepEqual(same.metadata, { jwks: fresh }, 'who has it already is no other')
  const byAddress = { jwks_uri: 'https://a.example/keys' }
  await administer(agent, { metadata: byAddress })
  t.deepEqual((await administer(agent, { ownerUserId: owner.id, metadata: byAddress })).metadata, { jwks: { keys: [] } })
})

test('keys that an agent had do not come back in the change that disables it; other clients keep theirs', async t => {
  const { agent } = await makeHouse()
  const { jwks } = agent.key
  await administer(agent, { metadata: { jwks } })
  t.deepEqual((await administer(agent, { isDisabled: true, metadata: { jwks } })).metadata, { jwks: { keys: [] } })
  const plain = await makeClient(server, { isFirstParty: false, metadata: { jwks } })
  t.deepEqual((await administer(plain, { isDisabled: true, metadata: { jwks } })).metadata, { jwks })
})

test.serial('keys that ended with an agent never come back, in whatever later change; other keys of the same agent and address do', async t => {
  const { agent, member: next, owner, organizationId } = await makeHouse()
  const [{ jwks: first }, { jwks: second }, byAddress] = [await makeKey(), agent.key, { jwks_uri: 'https://a.example/keys' }]
  const { email } = next
  const { token } = await api.signIn({ email })
  const at = `PATCH /organizations/${organizationId}/clients/${agent.clientId}`
  for (const metadata of [{ jwks: first }, byAddress]) {
    await administer(agent, { isDisabled: false, metadata })
    await administer(agent, { isDisabled: true })
  }
  await administer(agent, { isDisabled: false, ownerUserId: next.id })
  const renamed = { keys: first.keys.map(key => ({ ...key, kid: 'another name' })) }
  const give = (metadata: object) => api.ask(at, { token, body: { metadata: { backchannel_token_delivery_mode: 'poll', ...metadata } } })
  for (const metadata of [{ jwks: first }, { jwks: { keys: [...second.keys, ...renamed.keys] } }, byAddress]) {
    const refused = await give(metadata)
    t.deepEqual([refused.status, refused.error?.details.fields?.map(({ path }) => path)], [400, [`metadata.${'jwks' in metadata ? 'jwks' : 'jwks_uri'}`]])
  }
  t.is((await give({ jwks: second })).status, 200)
  t.deepEqual((await administer(agent, { ownerUserId: owner.id, metadata: { jwks: first } })).metadata, { jwks: { keys: [] } })
})

test('an agent that passes to another while its former owner goes is not theirs to end', async t => {
  const { agent, owner, member: next } = await makeHouse()
  const endAgents = createEndAgents({ endRequests: async () => undefined, endGrants: async () => undefined, now: () => new Date() })
  const { ended, asked } = await server.resources.database.prisma.$transaction(async tx => {
    const pass = () => tx.client.update({ where: { clientId: agent.clientId }, data: { ownerUserId: next.id } })
    let asked = 0
    // The one change that somebody else ends just before the agent's row is held, on every database alike.
    const late = async (...statement: Parameters<typeof tx.$queryRaw>) => {
      asked += 1
      await pass()
      return tx.$queryRaw(...statement)
    }
    const waiting = new Proxy(tx, { get: (target, name) => (name === '$queryRaw' ? late : Reflect.get(target, name)) })
    return { ended: await endAgents(waiting, { ownerUserId: owner.id }), asked }
  })
  t.deepEqual([ended, asked], [[], 1])
  t.truthy((await client.clientCredentialsGrant(agent.configuration)).access_token)
})

test('an agent of a person passes to nobody, and only an agent has an owner', async t => {
  const token = await makeAdmin(api)
  const [owner, other] = [await makeUser(server), await makeUser(server)]
  const own = await makeAgent(server, { ownerUserId: owner.id })
  const plain = await makeClient(server, { isFirstParty: false })
  for (const { clientId } of [own, plain]) t.is((await api.ask(`PATCH /clients/${clientId}`, { token, body: { owner_user_id: other.id } })).status, 400)
})

test('who is purged takes their own agents along; those of organizations stay there, disabled and empty, until somebody has them', async t => {
  const holder = await makeHolder()
  const { agent, owner, next, organizationId } = holder
  const own = await makeAgent(server, { ownerUserId: owner.id })
  await server.services.userAdministration.remove(systemActor, owner.id as never)
  const { prisma } = server.resources.database
  await prisma.user.update({ where: { id: owner.id }, data: { deletedAt: new Date(0) } })
  await until(async () => {
    await server.services.userAdministration.purge(systemActor, 100)
    return (await prisma.user.count({ where: { id: owner.id } })) === 0
  })
  t.is(await prisma.client.count({ where: { clientId: own.clientId } }), 0)
  const kept = await server.services.clientAdministration.get({ id: agent.clientId })
  t.deepEqual([kept.isDisabled, kept.ownerUserId, kept.organizationId, kept.secrets], [true, undefined, organizationId, []])
  const { rows } = await server.services.auditLog.list({ organizationId }, { limit: 50 })
  t.deepEqual(
    ['client.access_ended', 'client.owner_changed'].map(action => rows.some(row => row.action === action)),
    [true, true],
  )
  await administer(agent, { isDisabled: false, ownerUserId: next.id })
  t.deepEqual(await holder.alive(), [])
})

test('what was exchanged for a token of a client that is not there any more ends, though nobody ended it', async t => {
  const who = await makeUser(server)
  const agent = await makeAgent(server, { ownerUserId: who.id })
  const service = await makeExchanger(server, { allowed_clients: [agent.clientId] })
  const { tokens } = await agent.signIn({ who, parameters: { scope: 'openid email' } })
  const { access_token: token } = await exchange(server, service, tokens.access_token)
  t.true((await introspect(service, token)).active)
  await server.resources.database.prisma.client.delete({ where: { clientId: agent.clientId } })
  t.false((await introspect(service, token)).active)
})

test('a key that may change clients takes none over that carries more: a person’s agent, what is listed, what people granted on the API', async t => {
  const root = await api.signIn()
  await server.services.userAdministration.update(systemActor, root.id as never, { isAdmin: true })
  const admin = await makeAdmin(api)
  const { data } = await api.ask('POST /api-keys', { token: admin, body: { name: 'Clients', permissions: ['clients:read', 'clients:write'] } })
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials']
  const make = () => makeClient(server, { isFirstParty: false, grantTypes })
  const [listed, granted, plain] = [await make(), await make(), await make()]
  await makeResource(server, { clients: [{ clientId: listed.clientId, scopes: [], detailsTypes: [], introspects: true }] })
  const parameters = { scope: 'openid users:read', resource: `${server.issuer}/api/v1` }
  await granted.signIn({ who: { email: root.email, password: 'a long enough password' }, parameters })
  const agent = await makeAgent(server, { ownerUserId: root.id, tokenExchange: null, grantTypes })
  const redirect_uris = ['https://elsewhere.example/callback']
  const secretOf = (token: string, { clientId }: { clientId: string }) => api.ask(`POST /clients/${clientId}/secrets`, { token, body: {} })
  const move = (token: string, { clientId }: { clientId: string }) => api.ask(`PATCH /clients/${clientId}`, { token, body: { redirect_uris } })
  for (const [name, one] of Object.entries({ listed, granted, agent })) {
    t.deepEqual([(await secretOf(data.key, one)).status, (await move(data.key, one)).status], [403, 403], name)
    t.is((await api.ask(`PATCH /clients/${one.clientId}`, { token: data.key, body: { name: 'Another name' } })).status, 200, name)
    t.deepEqual([(await secretOf(admin, one)).status, (await move(admin, one)).status], [201, 200], name)
  }
  t.deepEqual([(await secretOf(data.key, plain)).status, (await move(data.key, plain)).status], [201, 200])
})
