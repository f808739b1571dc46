// Agents that people make for themselves, and other clients that nobody vouches for: what they may ask of organizations, what bounds them,
// where people are told of them, and what is left where nobody may have any.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { maxAgentsADay } from '../../src/clients/agent.ts'
import type { ClientSource, NewClient } from '../../src/clients/client.ts'
import { type NewResourceServer, nearnessOf } from '../../src/clients/resource-server.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeAgent, makeKey, type TestAgent } from '../support/agents.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { ask, cibaGrant, openRequests } from '../support/ciba.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { makeResource } from '../support/exchange.ts'
import { mailTo } from '../support/mails.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
let server: TestServer
test.before(async () => {
  api = await startApi()
  ;({ server } = api)
})
test.after.always(() => api?.close())

const rows = () => server.resources.database.prisma
const makeResourceOf = async (organizationId: string, given: Partial<NewResourceServer> = {}) => {
  const identifier = `https://${randomUUID()}.example/`
  await server.services.resourceServerAdministration.create(systemActor, {
    identifier,
    name: 'R',
    scopes: ['read'],
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 300,
    organizationId,
    ...given,
  })
  return identifier
}
const scope = 'openid offline_access read'
const consent = { scope, prompt: 'consent' }

// Each is made for a person, whom alone an agent acts for.
const kinds: Readonly<Record<string, (userId: string, given?: Partial<NewClient>) => Promise<Pick<TestAgent, 'signIn' | 'configuration' | 'clientId'>>>> = {
  'a person’s agent': (userId, given) => makeAgent(server, { ownerUserId: userId, ...given }),
  'a client that anybody registered': (_userId, given) => makeSpeaking('open', given),
  'a client that a document tells of': (_userId, given) => makeSpeaking('document', given),
}
const makeSpeaking = async (source: ClientSource, given: Partial<NewClient> = {}) => {
  const made = await makeClient(server, { isFirstParty: false, ...given })
  await rows().client.update({ where: { clientId: made.clientId }, data: { source, version: { increment: 1 } } })
  await until(async () => (await server.services.clients.find(made.clientId))?.source === source, 5)
  return made
}

for (const [kind, make] of Object.entries(kinds)) {
  test.serial(`${kind} asks for an organization’s resource server in that organization, for a member of it`, async t => {
    const [member, outsider] = [await makeUser(server), await makeUser(server)]
    const [here, there] = [await makeOrganizationOf(server, member.id), await makeOrganizationOf(server, member.id)]
    const resource = await makeResourceOf(here.id)
    const asking = await make(member.id)
    const { tokens } = await asking.signIn({ who: member, parameters: { ...consent, resource } })
    t.like(decodeJwt(tokens.access_token), { aud: resource, scope: 'read', org_id: here.id, sub: member.id })
    t.is(await refusal(asking.signIn({ who: member, parameters: { ...consent, resource, organization: there.slug } })), 'invalid_target')
    t.is(await refusal((await make(outsider.id)).signIn({ who: outsider, parameters: { ...consent, resource } })), 'access_denied')
    t.truthy(await client.refreshTokenGrant(asking.configuration, tokens.refresh_token ?? ''))
  })

  test.serial(`${kind} gets nothing more for an organization’s resource server when the person leaves`, async t => {
    const member = await makeUser(server)
    const { id: organizationId } = await makeOrganizationOf(server, member.id)
    const asking = await make(member.id, { refreshGraceSeconds: 300 })
    const { tokens } = await asking.signIn({ who: member, parameters: { ...consent, resource: await makeResourceOf(organizationId) } })
    await server.services.members.remove(systemActor, { organizationId, userId: member.id })
    t.is(await refusal(client.refreshTokenGrant(asking.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
  })

  test.serial(`${kind} asks for an organization’s resource server that lists it, for whoever it is, until it does so no more`, async t => {
    const outsider = await makeUser(server)
    const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
    const asking = await make(outsider.id, { refreshGraceSeconds: 300 })
    const resource = await makeResourceOf(organizationId, { clients: [{ clientId: asking.clientId, scopes: ['read'], detailsTypes: [] }] })
    const { tokens } = await asking.signIn({ who: outsider, parameters: { ...consent, resource } })
    t.is(decodeJwt(tokens.access_token).aud, resource)
    t.is(decodeJwt(tokens.access_token).org_id, undefined)
    const { id } = await rows().resourceServer.findUniqueOrThrow({ where: { identifier: resource } })
    await server.services.resourceServerAdministration.update(systemActor, { id }, { clients: [] })
    t.is(await refusal(client.refreshTokenGrant(asking.configuration, tokens.refresh_token ?? '')), 'invalid_target')
  })
}

test.serial('the system’s own clients ask for every organization’s resource server, and everybody’s for the system’s', async t => {
  const who = await makeUser(server)
  const { id } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const service = await makeClient(server, { isFirstParty: false })
  const { tokens } = await service.signIn({ who, parameters: { ...consent, resource: await makeResourceOf(id) } })
  t.is(decodeJwt(tokens.access_token).org_id, undefined)
  const agent = await makeAgent(server, { ownerUserId: who.id })
  const { tokens: others } = await agent.signIn({ who, parameters: { ...consent, resource: await makeResource(server) } })
  t.is(decodeJwt(others.access_token).org_id, undefined)
})

test.serial('what asks for itself is nobody’s member: a person’s agent gets nothing of an organization’s resource server so', async t => {
  const owner = await makeUser(server)
  const { id } = await makeOrganizationOf(server, owner.id, { role: 'owner' })
  const resource = await makeResourceOf(id, { clientAccess: 'any' })
  const agent = await makeAgent(server, { ownerUserId: owner.id })
  t.is(await refusal(client.clientCredentialsGrant(agent.configuration, { resource, scope: 'read' })), 'invalid_target')
  const assertion = await assertionOf(server, agent)
  t.is(await refusal(client.genericGrantRequest(agent.configuration, jwtBearer, { assertion, resource, scope: 'read' })), 'invalid_target')
})

const agentsOf = async (token: string) => (await api.ask('GET /users/me/agents', { token })).data
const post = (token: string, body: object) => api.ask('POST /users/me/agents', { token, body })
const fieldsOf = ({ error }: Awaited<ReturnType<typeof post>>) => error?.details.fields?.map(({ path }) => path)

test.serial('administrators see that an agent is a person’s own word, and cannot make it one of theirs', async t => {
  const [admin, { token }] = [await makeAdmin(api), await api.signIn()]
  const { agent } = (await post(token, { name: 'Helper' })).data
  t.is((await api.ask(`GET /clients/${agent.id}`, { token: admin })).data.source, 'person')
  t.is((await api.ask(`PATCH /clients/${agent.id}`, { token: admin, body: { first_party: true } })).status, 400)
})

test.serial('an agent is called and comes back within the bounds of clients that nobody vouches for, also when it is changed', async t => {
  const { token } = await api.signIn()
  await makeClient(server, { name: 'Acme Payroll' })
  const { agent } = (await post(token, { name: 'Helper', redirect_uris: [redirectUri] })).data
  const wrong: readonly (readonly [object, string])[] = [
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: 'See https://evil.example' }, 'name'],
    [{ name: 'АCME  Pаyrо1l.' }, 'name'],
    [{ name: 'ꓮꓚꓟꓰ ꓑꓮꓬꓣꓳꓡꓡ' }, 'name'],
    [{ name: '\u3164\u2800' }, 'name'],
    [{ redirect_uris: [`${server.issuer}/account`] }, 'redirect_uris.0'],
    [{ redirect_uris: ['http://elsewhere.example/cb'] }, 'redirect_uris.0'],
    [{ redirect_uris: [redirectUri, 'com.example.app:/cb'] }, 'redirect_uris.1'],
    [{ redirect_uris: ['https://app.example/cb#here'] }, 'redirect_uris.0'],
  ]
  for (const [body, path] of wrong) {
    t.deepEqual(fieldsOf(await post(token, { name: 'Helper', ...body })), [path], JSON.stringify(body))
    t.deepEqual(fieldsOf(await api.ask(`PATCH /users/me/agents/${agent.id}`, { token, body })), [path], JSON.stringify(body))
  }
  const enabling = await api.ask(`PATCH /users/me/agents/${agent.id}`, { token, body: { disabled: false } })
  t.regex(enabling.error?.details.fields?.[0]?.message ?? '', /administrator/)
  t.like((await agentsOf(token))[0], { name: 'Helper', redirect_uris: [redirectUri] })
})

test.serial('a person makes so many agents a day, whatever became of them, and is told when to come again', async t => {
  const { token } = await api.signIn()
  for (let made = 0; made < maxAgentsADay; made += 1) {
    const { data, status } = await post(token, { name: `Agent ${made}` })
    t.is(status, 201)
    await api.ask(`DELETE /users/me/agents/${data.agent.id}`, { token })
  }
  const { status, headers } = await post(token, { name: 'One more' })
  t.is(status, 429)
  t.true(Number(headers['retry-after']) > 0)
})

test.serial('a person is told by mail of each agent that is made in their name, by whomever', async t => {
  const [person, owner] = [await api.signIn(), await api.signIn()]
  await post(person.token, { name: 'Acme Helper' })
  t.true((await mailTo(server, person.email, 'An agent was made in your name')).text.includes('Acme Helper'))
  const { id } = await makeOrganizationOf(server, owner.id, { role: 'owner', name: 'Works' })
  await server.services.members.add(systemActor, { organizationId: id, userId: person.id, role: 'member' })
  const body = { name: 'Clerk www.evil.example', is_agent: true, grant_types: ['client_credentials'], owner_user_id: person.id }
  const { data } = await api.ask(`POST /organizations/${id}/clients`, { token: owner.token, body })
  const told = await mailTo(server, person.email, 'made an agent in your name')
  t.true(told.subject.startsWith('Works'))
  t.true(told.text.includes(data.client.client_id))
  t.false(told.text.includes('evil.example'))
})

test.serial('a person renames their agent, and says where it returns to', async t => {
  const [{ token }, other] = [await api.signIn(), await api.signIn()]
  const { agent } = (await post(token, { name: 'Helper' })).data
  t.false(agent.grant_types.includes('authorization_code'))
  const at = `PATCH /users/me/agents/${agent.id}`
  t.is((await api.ask(at, { token, body: { name: 'Better helper' } })).data.name, 'Better helper')
  const { data } = await api.ask(at, { token, body: { redirect_uris: [redirectUri] } })
  t.like(data, { name: 'Better helper', redirect_uris: [redirectUri], grant_types: ['authorization_code', ...agent.grant_types] })
  t.deepEqual((await api.ask(at, { token, body: { redirect_uris: [] } })).data.grant_types, agent.grant_types)
  t.is((await api.ask(at, { token, body: {} })).data.name, 'Better helper')
  t.is((await api.ask(at, { token: other.token, body: { name: 'Mine' } })).status, 404)
})

test.serial('a new secret takes the place of the one before, and of those that are made at once one is left', async t => {
  const { token } = await api.signIn()
  const { agent, secret } = (await post(token, { name: 'Helper' })).data
  const renew = () => api.ask(`POST /users/me/agents/${agent.id}/credentials`, { token, body: {} })
  const answers = await Promise.all(Array.from({ length: 20 }, renew))
  // Where the machine is busy some wait too long for the one client.
  t.true(answers.every(({ status }) => status === 201 || status === 503) && answers.some(({ status }) => status === 201))
  const works = async (tried: string) => {
    const { configuration } = await createRelyingParty(server.issuer, { clientId: agent.client_id, secret: tried })
    return client.clientCredentialsGrant(configuration).then(
      () => true,
      () => false,
    )
  }
  t.is(await rows().clientSecret.count({ where: { client: { id: agent.id }, revokedAt: null } }), 1)
  t.false(await works(secret))
  t.true(await works((await renew()).data.secret))
})

test.serial('an agent takes keys in the place of its secret and in the place of other keys, and with keys has no secret', async t => {
  const { token } = await api.signIn()
  const { agent, secret } = (await post(token, { name: 'Helper' })).data
  const at = `POST /users/me/agents/${agent.id}/credentials`
  const [first, second] = [await makeKey(), await makeKey()]
  const keyed = async (key: typeof first) => {
    const auth = client.PrivateKeyJwt({ key: key.privateKey, kid: undefined as never })
    const { configuration } = await createRelyingParty(server.issuer, { clientId: agent.client_id, auth })
    return client.clientCredentialsGrant(configuration)
  }
  const { data } = await api.ask(at, { token, body: { jwks: first.jwks } })
  t.is(data.secret, undefined)
  t.is(data.agent.token_endpoint_auth_method, 'private_key_jwt')
  t.true(data.agent.grant_types.includes(jwtBearer))
  t.truthy((await keyed(first)).access_token)
  const { configuration } = await createRelyingParty(server.issuer, { clientId: agent.client_id, secret })
  t.is(await refusal(client.clientCredentialsGrant(configuration)), 'invalid_client')
  t.is((await api.ask(at, { token, body: { jwks: second.jwks } })).status, 201)
  t.is(await refusal(keyed(first)), 'invalid_client')
  t.truthy((await keyed(second)).access_token)
  t.deepEqual(fieldsOf(await api.ask(at, { token, body: {} })), ['jwks'])
  t.is((await api.ask(at, { token, body: { jwks: { keys: [{ kty: 'EC' }] } } })).status, 400)
  const returning = { redirect_uris: ['https://a.example/cb'], disabled: true }
  t.is((await api.ask(`PATCH /users/me/agents/${agent.id}`, { token, body: returning })).status, 200)
  await server.services.clientAdministration.update(systemActor, { id: agent.id }, { isDisabled: false })
  t.is(await refusal(keyed(second)), 'invalid_client', 'a key that ended does not come back with another change')
})

test.serial('an agent that a process of the version before made for a person is no operator’s', async t => {
  const who = await makeUser(server)
  const given = { grantTypes: ['authorization_code', cibaGrant], metadata: { backchannel_token_delivery_mode: 'poll' } }
  const agent = await makeAgent(server, { ownerUserId: who.id, tokenExchange: null, ...given })
  await rows().client.update({ where: { clientId: agent.clientId }, data: { source: 'operator', version: { increment: 1 } } })
  const found = await server.services.clients.find(agent.clientId)
  t.is(nearnessOf({ organizationId: randomUUID(), clients: [] }, found), 'guest')
  t.is((await server.services.clientAdministration.get({ id: agent.clientId })).source, 'person')
  await agent.signIn({ who, parameters: { scope: 'openid email' } })
  t.deepEqual(
    (await server.services.consents.list(who.id)).map(({ source }) => source),
    ['person'],
  )
  await ask(agent, { login_hint: who.email })
  t.deepEqual(
    (await server.services.backchannelRequests.list(who.id)).map(({ clientSource }) => clientSource),
    ['person'],
  )
})

test.serial('a person sees when each of their agents last got a token', async t => {
  const { token } = await api.signIn()
  const { agent, secret } = (await post(token, { name: 'Helper' })).data
  await post(token, { name: 'Idle' })
  t.is(agent.last_used_at, null)
  const { configuration } = await createRelyingParty(server.issuer, { clientId: agent.client_id, secret })
  await client.clientCredentialsGrant(configuration)
  const [idle, used] = await agentsOf(token)
  t.is(idle.last_used_at, null)
  t.true(Date.parse(used.last_used_at) >= Date.parse(used.created_at))
})

test.serial('whose agent it is stands wherever it is named: at its device, among requests, among apps, over the API', async t => {
  const who = await makeUser(server, { password: 'a long enough password' })
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  const grantTypes = ['authorization_code', device, cibaGrant]
  const { id: organizationId } = await makeOrganizationOf(server, who.id, { name: 'Works' })
  const metadata = { backchannel_token_delivery_mode: 'poll' }
  const own = await makeAgent(server, { ownerUserId: who.id, grantTypes, metadata, name: 'Own helper' })
  const house = await makeAgent(server, { organizationId, grantTypes, metadata, name: 'House helper' })
  const [byPerson, byHouse] = [`An agent made by <strong>${who.email}</strong>, not verified`, 'An agent of <strong>Works']
  const plain = (body: string) => body.replaceAll(/<\/?bdi>/g, '')
  for (const [agent, sentence] of [
    [own, byPerson],
    [house, byHouse],
  ] as const) {
    const { user_code } = await client.initiateDeviceAuthorization(agent.configuration, { scope: 'openid' })
    const browser = createPerson()
    t.true(plain((await browser.submit(await browser.get(`${server.issuer}/device`), { user_code })).body).includes(sentence), sentence)
    await agent.signIn({ who, parameters: { scope: 'openid email', prompt: 'consent' } })
    await ask(agent, { login_hint: who.email })
    const { text } = await mailTo(server, who.email, agent === own ? 'Own helper' : 'House helper')
    t.regex(text, agent === own ? /, an agent of \S+@/ : /, an agent of Works/)
  }
  const { person, page } = await openRequests(server, who)
  const apps = await person.get(`${server.issuer}/account/apps`)
  for (const sentence of [byPerson, byHouse]) {
    t.true(plain(page.body).includes(sentence), sentence)
    t.true(plain(apps.body).includes(sentence), sentence)
  }
  const { token } = await api.signIn({ email: who.email })
  const { data } = await api.ask('GET /users/me/grants', { token })
  const told = Object.fromEntries(data.map(({ client: one }: { client: Record<string, unknown> }) => [one.name, [one.agent_of, one.verified]]))
  t.deepEqual(told['Own helper'], [who.email, false])
  t.regex(String(told['House helper']?.[0]), /^Works/)
  t.true(told['House helper']?.[1])
})

test.serial('the export tells of agents with their addresses and public keys, also of deleted ones, and what was done by one', async t => {
  const { token, id } = await api.signIn()
  const { jwks } = await makeKey()
  const { agent } = (await post(token, { name: 'Kept', redirect_uris: [redirectUri], jwks })).data
  const { agent: gone } = (await post(token, { name: 'Gone' })).data
  await api.ask(`DELETE /users/me/agents/${gone.id}`, { token })
  const viaAgent = { ...systemActor, kind: 'user', id, agentId: agent.client_id } as const
  await server.services.userAdministration.update(viaAgent, id as never, { name: 'By an agent' })
  const { data } = await api.ask('GET /users/me/export', { token })
  t.like(data.agents[0], { client_id: agent.client_id, name: 'Kept', redirect_uris: [redirectUri], jwks, deleted_at: null })
  t.like(data.agents[1], { client_id: gone.client_id, name: 'Gone', jwks: null })
  t.truthy(data.agents[1].deleted_at)
  t.true(data.events.some(({ via_agent: via }: { via_agent: unknown }) => via === agent.client_id))
})

test.serial('where nobody may have agents of their own there are no pages and operations for them, and those that are there get nothing', async t => {
  const without = await startServer({ settings: { AGENTS: 'off' } })
  try {
    const who = await makeUser(without)
    const { id: organizationId } = await makeOrganizationOf(without, who.id, { role: 'owner' })
    const [own, house] = [await makeAgent(without, { ownerUserId: who.id }), await makeAgent(without, { organizationId })]
    t.is(await refusal(client.clientCredentialsGrant(own.configuration)), 'invalid_client')
    t.truthy((await client.clientCredentialsGrant(house.configuration)).access_token)
    t.is((await fetch(`${without.issuer}/api/v1/users/me/agents`)).status, 404)
    const { person } = await openRequests(without, who)
    t.is((await person.get(`${without.issuer}/account/agents`)).status, 404)
    t.false((await person.get(`${without.issuer}/account/profile`)).body.includes('/account/agents'))
  } finally {
    await without.close()
  }
})
