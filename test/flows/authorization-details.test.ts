// Rich authorization requests (RFC 9396): asked, shown, granted, carried by tokens, narrowed, refused.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import type { DetailsSchema } from '../../src/clients/details-schema.ts'
import type { NewResourceServer } from '../../src/clients/resource-server.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeKey } from '../support/agents.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let jwks: ReturnType<typeof createRemoteJWKSet>
test.before(async () => {
  server = await startServer()
  jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
})
test.after.always(() => server?.close())

type Detail = Record<string, unknown>
const schema: DetailsSchema = {
  type: 'object',
  properties: {
    actions: { type: 'array', items: { type: 'string', enum: ['initiate', 'status', 'cancel'] } },
    locations: { type: 'array', items: { type: 'string' } },
    instructedAmount: {
      type: 'object',
      title: 'Amount',
      properties: { currency: { type: 'string', title: 'Currency', maxLength: 3 }, amount: { type: 'string', title: 'Sum' } },
      required: ['currency', 'amount'],
    },
    creditorName: { type: 'string', title: 'Paid to' },
    isUrgent: { type: 'boolean', title: 'At once' },
  },
  required: ['instructedAmount'],
}
const makeBank = async (given: Partial<NewResourceServer> = {}) => {
  const type = given.detailsTypes?.[0]?.type ?? `payment_initiation-${randomUUID()}`
  const identifier = given.identifier ?? `https://${randomUUID()}.example/`
  const { id } = await server.services.resourceServerAdministration.create(systemActor, {
    identifier,
    name: 'Nordlicht Bank',
    scopes: ['accounts'],
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 300,
    detailsTypes: [{ type, title: 'Pay once', schema }],
    ...given,
  })
  const pay = (more: Detail = {}): Detail => ({
    type,
    actions: ['initiate', 'status'],
    instructedAmount: { currency: 'EUR', amount: '123.50' },
    creditorName: 'Merchant A',
    ...more,
  })
  return { id, type, identifier, pay }
}
/** What a client registers so that it may ask for these. */
const uses = (...types: string[]) => ({ metadata: { authorization_details_types: types } })
const asked = (...details: Detail[]) => ({ authorization_details: JSON.stringify(details) })
const authorize = async (app: TestClient, parameters: Record<string, string>, who?: { email: string; password: string }) => {
  const made = await app.request({ scope: 'openid', ...parameters })
  return { ...made, back: await createPerson().authorize(made.url, { ...(who ?? (await makeUser(server))), redirectUri }) }
}
const redeem = (app: TestClient, { back, checks }: Awaited<ReturnType<typeof authorize>>, parameters: Record<string, string> = {}) =>
  client.authorizationCodeGrant(app.configuration, back, checks, parameters)
const carried = async (token: string, audience: string) => (await jwtVerify(token, jwks, { issuer: server.issuer, audience })).payload.authorization_details
const errorOf = (back: URL) => back.searchParams.get('error')

test('what a person allowed in particular is told with the token and stands in it, and `resource` may be left out (RFC 9396 §3, §7, §9.1)', async t => {
  const { type, identifier, pay } = await makeBank()
  const app = await makeClient(server, { isFirstParty: false, ...uses(type) })
  const tokens = await redeem(app, await authorize(app, asked(pay())))
  t.deepEqual(tokens.authorization_details as never, [pay()])
  t.deepEqual(await carried(tokens.access_token, identifier), [pay()])
})

test('introspection tells the details of an opaque token (RFC 9396 §9.2)', async t => {
  const { type, pay } = await makeBank({ tokenFormat: 'opaque' })
  const app = await makeClient(server, uses(type))
  const tokens = await redeem(app, await authorize(app, asked(pay())))
  t.deepEqual((await client.tokenIntrospection(app.configuration, tokens.access_token)).authorization_details as never, [pay()])
})

test('the consent page shows each field by its title, also for the operator’s own clients, and each time', async t => {
  const { type, pay } = await makeBank()
  const [app, who, person] = [await makeClient(server, uses(type)), await makeUser(server), createPerson()]
  const parameters = asked(pay({ isUrgent: true }))
  const first = await app.request({ scope: 'openid', ...parameters })
  let page = await person.follow(await person.get(first.url), redirectUri)
  page = await person.follow(await person.submit(page, { username: who.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
  const shown = page.body.replaceAll(/<bdi>|<\/bdi>/g, '')
  for (const text of ['Nordlicht Bank', 'Pay once', 'Amount · Currency', 'EUR', '123.50', 'Paid to', 'Merchant A', 'At once', 'Yes', 'initiate, status'])
    t.true(shown.includes(text), text)
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
  t.truthy(back.location?.searchParams.get('code'))
  const again = await person.follow(await person.get((await app.request({ scope: 'openid', ...parameters })).url), redirectUri)
  t.true(again.body.includes('name="decision"'))
  const silent = await person.follow(await person.get((await app.request({ scope: 'openid', ...parameters, prompt: 'none' })).url), redirectUri)
  t.is(silent.location?.searchParams.get('error'), 'consent_required')
  const without = await person.follow(await person.get((await app.request({ scope: 'openid', prompt: 'none' })).url), redirectUri)
  t.truthy(without.location?.searchParams.get('code'), 'and nothing of it is asked where nothing of it is requested')
})

test('who refuses gives nothing', async t => {
  const { type, pay } = await makeBank()
  const app = await makeClient(server, uses(type))
  const who = await makeUser(server)
  const { url } = await app.request({ scope: 'openid', ...asked(pay()) })
  t.is(errorOf(await createPerson().authorize(url, { ...who, redirectUri, decision: 'deny' })), 'access_denied')
})

for (const [why, of] of [
  ['are no JSON', () => '{'],
  ['are no list', ({ pay }) => JSON.stringify(pay())],
  ['have an unknown type (§5)', ({ pay }) => JSON.stringify([pay({ type: 'no-such-type' })])],
  ['have the name of what every object has as their type', ({ pay }) => JSON.stringify([pay({ type: 'constructor' })])],
  ['have a field that the type does not know (§5)', ({ pay }) => JSON.stringify([pay({ more: 1 })])],
  ['lack a field (§5)', ({ type }) => JSON.stringify([{ type }])],
  ['have a value of the wrong type (§5)', ({ pay }) => JSON.stringify([pay({ creditorName: 5 })])],
  ['hide what they say', ({ pay }) => JSON.stringify([pay({ creditorName: 'A\u202eB' })])],
  ['are of another place (§2.2)', ({ pay }) => JSON.stringify([pay({ locations: ['https://elsewhere.example/'] })])],
  ['are too many', ({ pay }) => JSON.stringify(Array.from({ length: 11 }, () => pay()))],
] satisfies [string, (bank: Awaited<ReturnType<typeof makeBank>>) => string][])
  test(`authorization details that ${why} are invalid_authorization_details`, async t => {
    const bank = await makeBank()
    const app = await makeClient(server, uses(bank.type))
    const parameters = { authorization_details: of(bank), resource: bank.identifier }
    t.is(errorOf((await authorize(app, parameters)).back), 'invalid_authorization_details')
    const { url } = await app.request({ scope: 'openid', ...parameters })
    t.is(await refusal(client.buildAuthorizationUrlWithPAR(app.configuration, url.searchParams)), 'invalid_authorization_details')
  })

test('details of a resource that is not the one asked for are refused', async t => {
  const [bank, other] = [await makeBank(), await makeBank()]
  const app = await makeClient(server, uses(bank.type, other.type))
  t.is(errorOf((await authorize(app, { ...asked(bank.pay()), resource: other.identifier })).back), 'invalid_authorization_details')
})

test('pushed details are the same as those in the address (RFC 9126, RFC 9396 §4)', async t => {
  const { type, identifier, pay } = await makeBank()
  const app = await makeClient(server, uses(type))
  const { url, checks, verifier } = await app.request({ scope: 'openid', ...asked(pay()) })
  const pushed = await client.buildAuthorizationUrlWithPAR(app.configuration, url.searchParams)
  const back = await createPerson().authorize(pushed, { ...(await makeUser(server)), redirectUri })
  const tokens = await redeem(app, { url, checks, verifier, back })
  t.deepEqual(await carried(tokens.access_token, identifier), [pay()])
})

test('a token request narrows, and may not widen (RFC 9396 §6)', async t => {
  const { type, identifier, pay } = await makeBank()
  const app = await makeClient(server, uses(type))
  const both = asked(pay(), pay({ creditorName: 'Merchant B' }))
  t.is(await refusal(redeem(app, await authorize(app, both), asked(pay({ creditorName: 'Merchant C' })))), 'invalid_authorization_details')
  const tokens = await redeem(app, await authorize(app, both), asked(pay({ actions: ['status'] })))
  t.deepEqual(await carried(tokens.access_token, identifier), [pay({ actions: ['status'] })])
  const refresh = (token: string | undefined, parameters: Record<string, string> = {}) => client.refreshTokenGrant(app.configuration, token ?? '', parameters)
  const whole = await refresh(tokens.refresh_token)
  t.deepEqual(whole.authorization_details as never, [pay(), pay({ creditorName: 'Merchant B' })])
  const one = await refresh(whole.refresh_token, asked(pay({ creditorName: 'Merchant B' })))
  t.deepEqual(await carried(one.access_token, identifier), [pay({ creditorName: 'Merchant B' })])
  for (const wider of [{ actions: ['initiate', 'status', 'cancel'] }, { instructedAmount: { currency: 'EUR', amount: '124' } }, { isUrgent: true }])
    t.is(await refusal(refresh(one.refresh_token, asked(pay(wider)))), 'invalid_authorization_details')
  const { creditorName: _left, ...anybody } = pay()
  t.is(await refusal(refresh(one.refresh_token, asked(anybody))), 'invalid_authorization_details', 'a field that is left out allows more')
})

test('a token carries the details of its audience alone', async t => {
  const [bank, other] = [await makeBank(), await makeBank()]
  const app = await makeClient(server, uses(bank.type, other.type))
  const answer = await authorize(app, asked(bank.pay(), other.pay()))
  const tokens = await redeem(app, answer, { resource: bank.identifier })
  t.deepEqual(await carried(tokens.access_token, bank.identifier), [bank.pay()])
  const next = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { resource: other.identifier })
  t.deepEqual(await carried(next.access_token, other.identifier), [other.pay()])
})

test('a client asks for itself what it is listed for', async t => {
  const { id, type, identifier, pay } = await makeBank()
  const machine = { grantTypes: ['client_credentials'], ...uses(type) }
  const [listed, named, stranger] = [await makeClient(server, machine), await makeClient(server, machine), await makeClient(server, machine)]
  const clients = [
    { clientId: listed.clientId, scopes: [], detailsTypes: [type] },
    { clientId: named.clientId, scopes: ['accounts'], detailsTypes: [] },
  ]
  await server.services.resourceServerAdministration.update(systemActor, { id }, { clients })
  const { access_token } = await client.clientCredentialsGrant(listed.configuration, asked(pay()))
  t.deepEqual(await carried(access_token, identifier), [pay()])
  for (const app of [named, stranger]) t.is(await refusal(client.clientCredentialsGrant(app.configuration, asked(pay()))), 'invalid_authorization_details')
})

test('an assertion of a client asks for what the client is listed for, and for no more', async t => {
  const { id, type, identifier, pay } = await makeBank()
  const key = await makeKey()
  const machine = { grantTypes: [jwtBearer], metadata: { jwks: key.jwks, authorization_details_types: [type] } }
  const [listed, named, stranger] = [await makeClient(server, machine), await makeClient(server, machine), await makeClient(server, machine)]
  const clients = [
    { clientId: listed.clientId, scopes: [], detailsTypes: [type] },
    { clientId: named.clientId, scopes: ['accounts'], detailsTypes: [] },
  ]
  await server.services.resourceServerAdministration.update(systemActor, { id }, { clients })
  const ask = async ({ clientId, configuration }: TestClient) =>
    client.genericGrantRequest(configuration, jwtBearer, { assertion: await assertionOf(server, { clientId, key }), ...asked(pay()) })
  t.deepEqual(await carried((await ask(listed)).access_token, identifier), [pay()])
  for (const app of [named, stranger]) t.is(await refusal(ask(app)), 'invalid_authorization_details')
})

test('an organization’s types are there for its clients and the system’s', async t => {
  const { id: organizationId } = await server.services.organizations.create(systemActor, { name: `Org ${randomUUID()}` })
  const { id: elsewhere } = await server.services.organizations.create(systemActor, { name: `Org ${randomUUID()}` })
  const identifier = `https://${randomUUID()}.example/`
  const type = `${identifier}payment`
  const { pay } = await makeBank({ identifier, organizationId, detailsTypes: [{ type, title: 'Pay', schema }] })
  const foreign = await makeClient(server, { organizationId: elsewhere, ...uses(type) })
  t.is(errorOf((await authorize(foreign, asked(pay()))).back), 'invalid_authorization_details')
  const own = await makeClient(server, { organizationId, isFirstParty: false, ...uses(type) })
  t.truthy((await redeem(own, await authorize(own, asked(pay())))).access_token)
})

test('a client may ask for the types that it registered, and for no others (RFC 9396 §10)', async t => {
  const [bank, other] = [await makeBank(), await makeBank()]
  const app = await makeClient(server, uses(bank.type))
  t.truthy((await redeem(app, await authorize(app, asked(bank.pay())))).access_token)
  t.is(errorOf((await authorize(app, asked(other.pay()))).back), 'invalid_authorization_details')
})

test('a type that is no longer offered is in no further token, and its clients go on', async t => {
  const bank = await makeBank()
  const app = await makeClient(server, uses(bank.type))
  const tokens = await redeem(app, await authorize(app, asked(bank.pay())))
  await server.services.resourceServerAdministration.update(systemActor, { id: bank.id }, { detailsTypes: [] })
  await sleep(1100)
  const next = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
  t.is(next.authorization_details, undefined)
  t.is(errorOf((await authorize(app, asked(bank.pay()))).back), 'invalid_authorization_details')
})

test('a type that its client is not listed for any more is in no further token', async t => {
  const bank = await makeBank()
  const app = await makeClient(server, uses(bank.type))
  const list = (detailsTypes: string[]) =>
    server.services.resourceServerAdministration.update(
      systemActor,
      { id: bank.id },
      { userAccess: 'listed', clients: [{ clientId: app.clientId, scopes: [], detailsTypes }] },
    )
  await list([bank.type])
  const tokens = await redeem(app, await authorize(app, asked(bank.pay())))
  const next = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
  t.deepEqual(await carried(next.access_token, bank.identifier), [bank.pay()])
  await list([])
  await sleep(1100)
  const last = await client.refreshTokenGrant(app.configuration, next.refresh_token ?? '')
  t.is(await carried(last.access_token, bank.identifier), undefined)
})

test('discovery tells the types of the system, and none of an organization (RFC 9396 §10)', async t => {
  const told = async () => {
    const response = await fetch(`${server.issuer}/.well-known/openid-configuration`)
    return ((await response.json()) as { authorization_details_types_supported?: string[] }).authorization_details_types_supported ?? []
  }
  const before = await told()
  const { type } = await makeBank()
  const { id: organizationId } = await server.services.organizations.create(systemActor, { name: `Org ${randomUUID()}` })
  const identifier = `https://${randomUUID()}.example/`
  await makeBank({ identifier, organizationId, detailsTypes: [{ type: `${identifier}payment`, title: 'Pay', schema }] })
  t.false(before.includes(type))
  await sleep(1100)
  await told()
  await sleep(200)
  const after = await told()
  // From the engine, and from what is kept.
  t.true(after.includes(type))
  t.deepEqual(await told(), after)
  t.false(after.some(one => one.startsWith('https://')))
})

test('where roles decide, details are carried for whoever’s role holds something there, and for nobody else', async t => {
  const bank = await makeBank({ requiresPermissions: true })
  const app = await makeClient(server, uses(bank.type))
  const detailsFor = async (role: string) => {
    const who = await makeUser(server)
    const { id: organization } = await makeOrganizationOf(server, who.id, { role })
    const { back, checks } = await authorize(app, { ...asked(bank.pay()), resource: bank.identifier, organization }, who)
    const tokens = await client.authorizationCodeGrant(app.configuration, back, checks)
    return (await jwtVerify(tokens.access_token, jwks)).payload.authorization_details
  }
  t.deepEqual(await detailsFor('owner'), [bank.pay()])
  t.deepEqual((await detailsFor('member')) ?? [], [])
})
