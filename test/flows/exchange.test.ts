// Token exchange (RFC 8693): what is given for a token, to whom, and that it dies with what it came from.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import {
  accessTokenType,
  actorTokenOf,
  askExchange,
  exchange,
  exchangeGrant,
  introspect,
  isActive,
  makeExchanger,
  makeResource,
  makeSubject,
  tripsOf,
} from '../support/exchange.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let orders: string
let stock: string
test.before(async () => {
  server = await startServer()
  ;[orders, stock] = await Promise.all([makeResource(server), makeResource(server, { tokenFormat: 'opaque' })])
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

test('a token that came back to a service has no more there than it had', async t => {
  const own = await makeExchanger(server, { audiences: [audience(orders, ['read', 'write', 'admin']), audience(stock)] })
  const { token } = await makeSubject(server, own, { resource: orders, scope: 'openid read' })
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

test('a token is narrowed to an organization that the person belongs to, and keeps it', async t => {
  const own = await makeExchanger(server)
  const { who, token } = await makeSubject(server, own, { resource: orders })
  const [home, foreign, other] = await Promise.all([makeOrganization(), makeOrganization(), makeOrganization()])
  for (const organizationId of [home, other]) await server.services.members.add(systemActor, { organizationId, userId: who.id as never, role: 'member' })
  const asked = { subject_token_type: accessTokenType }
  for (const organization of [foreign, 'no-such-organization', randomUUID()])
    t.is((await askExchange(server, own, { ...asked, subject_token: token, organization })).error, 'invalid_request')
  const { access_token } = await exchange(server, own, token, { organization: home })
  t.is((await askExchange(server, own, { ...asked, subject_token: access_token, organization: other })).error, 'invalid_request')
  const next = await exchange(server, own, access_token)
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
