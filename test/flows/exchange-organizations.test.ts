// Token exchange and organizations: what a sign-in for one would ask is asked of an exchange too, and roles decide as ever.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, isActive, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { makeMember, makeOrganizationOf } from '../support/organizations.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let orders: string
let stock: string
test.before(async () => {
  server = await startServer()
  ;[orders, stock] = await Promise.all([makeResource(server), makeResource(server)])
})
test.after.always(() => server?.close())

const audience = (identifier: string, scopes = ['read', 'write']) => ({ identifier, scopes })
const asked = (token: string, more: Record<string, string> = {}) => ({ subject_token: token, subject_token_type: accessTokenType, ...more })
const requireFactor = (id: string) => server.services.organizations.update(systemActor, id as never, { isMfaRequired: true })

test('a token is narrowed to an organization that requires a second factor only where one was proven', async t => {
  const own = await makeExchanger(server)
  const { who, token } = await makeSubject(server, own)
  const [open, strict] = [await makeOrganizationOf(server, who.id), await makeOrganizationOf(server, who.id)]
  await requireFactor(strict.id)
  await until(async () => (await askExchange(server, own, asked(token, { organization: strict.id }))).error === 'invalid_request')
  t.is((await askExchange(server, own, asked(token, { organization: open.id }))).status, 200)
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
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock)] })
  const [stranger, member] = [await makeSubject(server, front, { resource: orders }), await makeSubject(server, front, { resource: orders })]
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: member.who.id, role: 'member' })
  const [ofStranger, ofMember] = await Promise.all([stranger, member].map(({ token }) => exchange(server, back, token, { resource: stock })))
  const { rows } = await server.services.clientAdministration.list({ organizationId }, { limit: 1, isAscending: true })
  await server.services.clientAdministration.update(systemActor, { id: rows[0]?.id ?? '' }, { isMembersOnly: true, expect: () => undefined })
  t.false(await isActive(back, ofStranger?.access_token ?? ''))
  t.true(await isActive(back, ofMember?.access_token ?? ''))
})

test('where roles decide, an exchanged token carries the scopes that the role holds in its organization, and none without one', async t => {
  const identifier = `https://${randomUUID()}.example/`
  const given = { identifier, name: 'R', scopes: ['read', 'write'], tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 600 } as const
  await server.services.resourceServers.create(systemActor, { ...given, requiresPermissions: true })
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(identifier)] })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const [role] = [`role-${randomUUID()}`]
  await server.services.roles.create(systemActor, { organizationId, name: role, permissions: [], resourceScopes: [`${identifier} read`] } as never)
  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: who.id, role })
  const scopeOf = async (more: Record<string, string>) => decodeJwt((await exchange(server, back, token, { resource: identifier, ...more })).access_token).scope
  t.is(await scopeOf({ organization: organizationId }), 'read')
  t.is(await scopeOf({}), undefined)
  const more = await askExchange(server, back, asked(token, { resource: identifier, organization: organizationId, scope: 'write' }))
  t.is(more.error, 'invalid_scope')
})
