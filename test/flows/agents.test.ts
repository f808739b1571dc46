// Agents: they get what a person allows them, say that it is they who act, and never become the person.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { maxAgents } from '../../src/clients/agent.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeAgent } from '../support/agents.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, introspect, makeExchanger, makeResource, makeSubject, tripsOf } from '../support/exchange.ts'
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
  t.true(page.body.includes('An agent of'))
  t.true(page.body.includes(person.email))
  const back = await browser.follow(await browser.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(relyingParty.configuration, back.location ?? new URL(server.issuer), request.checks)
  const claims = decodeJwt(tokens.access_token)
  t.is(claims.sub, person.id)
  t.deepEqual(claims.act, { sub: agent.client_id })
  t.is(tokens.claims()?.sub, person.id)
  const told = await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)
  t.deepEqual([told.active, told.sub, told.act], [true, person.id, { sub: agent.client_id }])
  const next = await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')
  t.deepEqual(decodeJwt(next.access_token).act, { sub: agent.client_id })
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

test('whoever is not the owner is shut out of an agent, though they know its address', async t => {
  const [owner, other] = [await makeUser(server), await makeUser(server)]
  const agent = await makeAgent(server, { ownerUserId: owner.id })
  t.is(await refusal(agent.signIn({ who: other })), 'access_denied')
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
  const subject = await makeSubject(server, front, { scope: 'openid email' })
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
  const owner = await makeUser(server)
  const [agent, gone] = [await makeAgent(server, { ownerUserId: owner.id }), await makeClient(server, { grantTypes: ['client_credentials'] })]
  const clients = [
    { clientId: itself.clientId, scopes: [], detailsTypes: [], introspects: true },
    { clientId: agent.clientId, scopes: ['read'], detailsTypes: [] },
  ]
  for (const tokenFormat of ['jwt', 'opaque'] as const) {
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
    await until(async () => (await introspect(itself, own ?? '')).active && (await introspect(itself, ofGone ?? '')).active, 5)
    t.pass()
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
