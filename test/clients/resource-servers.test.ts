// Resource servers through the API, in the system and in organizations, and the policy of token exchange at them.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { basic } from '../support/calls.ts'
import { accessTokenType, exchangeGrant } from '../support/exchange.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
let admin: string
let own: Awaited<ReturnType<typeof makeOrganization>>
let other: Awaited<ReturnType<typeof makeOrganization>>
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  own = await makeOrganization(api)
  other = await makeOrganization(api)
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown, headers?: Record<string, string>) => api.ask(operation, { token: admin, body, headers })
const address = () => `https://${randomUUID()}.example/v1`
const make = async (given: object = {}) => (await asAdmin('POST /resource-servers', { identifier: address(), name: 'Orders', ...given })).data
const makeClient = async (organizationId?: string) => {
  const body = { name: 'Machine', grant_types: ['client_credentials'] }
  return (await asAdmin(organizationId ? `POST /organizations/${organizationId}/clients` : 'POST /clients', body)).data.client
}
const pathsOf = ({ error }: Awaited<ReturnType<typeof asAdmin>>) => error?.details.fields?.map(({ path }) => path)

test('a resource server is made with what is told, and the safe choice where nothing is', async t => {
  const identifier = address()
  const made = await asAdmin('POST /resource-servers', {
    identifier,
    name: 'Orders',
    scopes: [{ name: 'orders:read', description: 'See orders' }, { name: 'x' }],
  })
  t.is(made.status, 201)
  t.like(made.data, {
    identifier,
    organization_id: null,
    token_format: 'jwt',
    signing_algorithm: 'ES256',
    access_token_ttl_seconds: 600,
    allows_offline_access: true,
    requires_permissions: false,
    client_access: 'listed',
    user_access: 'any',
    disabled: false,
  })
  t.deepEqual(made.data.scopes, [
    { name: 'orders:read', description: 'See orders' },
    { name: 'x', description: null },
  ])
  t.deepEqual((await asAdmin(`GET /resource-servers/${made.data.id}`)).data, made.data)
})

for (const [why, identifier] of [
  ['no absolute URI', '/orders'],
  ['a URI with a fragment (RFC 8707 §2)', 'https://api.example/#orders'],
  ['a URI with an empty fragment', 'https://api.example/#'],
  ['a URI with user information', 'https://a@api.example/'],
  ['a URI with a space', 'https://api.example/a b'],
] as const)
  test(`an identifier that is ${why} is refused`, async t => {
    const refused = await asAdmin('POST /resource-servers', { identifier, name: 'Orders' })
    t.is(refused.status, 400)
    t.deepEqual(pathsOf(refused), ['identifier'])
  })

test('our own issuer and API are nobody’s resource server', async t => {
  const { issuer } = api.server
  for (const identifier of [issuer, `${issuer}/`, `${issuer}/api/v1`, `${issuer.toUpperCase().replace('HTTP', 'http')}/api/v1`])
    t.is((await asAdmin('POST /resource-servers', { identifier, name: 'Ours' })).status, 400, identifier)
})

test('an identifier is taken for good, also by one that was deleted, and cannot be changed', async t => {
  const { id, identifier } = await make()
  t.is((await asAdmin('POST /resource-servers', { identifier, name: 'Again' })).status, 409)
  t.is((await asAdmin(`PATCH /resource-servers/${id}`, { identifier: address() })).status, 400)
  await asAdmin(`DELETE /resource-servers/${id}`)
  t.is((await asAdmin('POST /resource-servers', { identifier, name: 'Again' })).status, 409)
  t.is((await own.asOwner('POST /resource-servers', { identifier, name: 'Again' })).status, 409)
})

test('scopes are tokens of RFC 6749 §3.3, each once, and none of OpenID Connect', async t => {
  for (const name of ['a b', 'a"b', 'a\\b', '', 'ä', 'openid', 'offline_access', 'email'])
    t.is((await asAdmin('POST /resource-servers', { identifier: address(), name: 'Orders', scopes: [{ name }] })).status, 400, name)
  t.is((await asAdmin('POST /resource-servers', { identifier: address(), name: 'Orders', scopes: [{ name: 'a' }, { name: 'a' }] })).status, 400)
})

test('how long access tokens live has bounds', async t => {
  for (const seconds of [59, 86_401, 1.5])
    t.is((await asAdmin('POST /resource-servers', { identifier: address(), name: 'Orders', access_token_ttl_seconds: seconds })).status, 400)
})

test('a change names what it changes; a stale If-Match changes nothing', async t => {
  const { id } = await make({ scopes: [{ name: 'a' }] })
  const { headers } = await asAdmin(`GET /resource-servers/${id}`)
  const ifMatch = { 'if-match': String(headers.etag) }
  const changed = await asAdmin(`PATCH /resource-servers/${id}`, { name: 'Bills', access_token_ttl_seconds: 60 }, ifMatch)
  t.like(changed.data, { name: 'Bills', access_token_ttl_seconds: 60, scopes: [{ name: 'a', description: null }] })
  t.is((await asAdmin(`PATCH /resource-servers/${id}`, { name: 'Lost' }, ifMatch)).status, 412)
  const events = await api.server.resources.database.prisma.auditEvent.findMany({ where: { targetId: id }, orderBy: { id: 'asc' } })
  t.deepEqual(
    events.map(({ action }) => action),
    ['resource_server.created', 'resource_server.updated'],
  )
  t.is((await asAdmin(`GET /resource-servers/${id}`)).data.name, 'Bills')
})

test('one Idempotency-Key makes one resource server', async t => {
  const body = { identifier: address(), name: 'Once' }
  const key = { 'idempotency-key': randomUUID() }
  const [first, second] = [await asAdmin('POST /resource-servers', body, key), await asAdmin('POST /resource-servers', body, key)]
  t.deepEqual([first.status, second.status], [201, 201])
  t.is(first.data.id, second.data.id)
})

test('listed clients are named with what they may ask; none of another organization, and no scope that is not there', async t => {
  const [mine, foreign, ofSystem] = [await makeClient(own.id), await makeClient(other.id), await makeClient()]
  const { data, status } = await own.asOwner('POST /resource-servers', {
    identifier: address(),
    name: 'Orders',
    scopes: [{ name: 'read' }, { name: 'write' }],
    clients: [
      { client_id: mine.client_id, scopes: ['read'], introspects: true },
      { client_id: ofSystem.client_id, scopes: [] },
    ],
  })
  t.is(status, 201)
  const patch = (clients: object[]) => own.asOwner(`PATCH /resource-servers/${data.id}`, { clients })
  t.deepEqual(pathsOf(await patch([{ client_id: foreign.client_id }])), ['clients.0.client_id'])
  t.deepEqual(pathsOf(await patch([{ client_id: 'nobody' }])), ['clients.0.client_id'])
  t.deepEqual(pathsOf(await patch([{ client_id: mine.client_id, scopes: ['delete'] }])), ['clients.0.scopes'])
  t.is((await patch([{ client_id: mine.client_id }, { client_id: mine.client_id }])).status, 400)
  // What the resource server gives up nobody is listed for.
  const narrowed = await own.asOwner(`PATCH /resource-servers/${data.id}`, { scopes: [{ name: 'write' }] })
  t.deepEqual(
    narrowed.data.clients.find(({ client_id: id }: { client_id: string }) => id === mine.client_id),
    { client_id: mine.client_id, scopes: [], authorization_details_types: [], introspects: true },
  )
})

test('a deleted resource server is found among the deleted, comes back as it was, and after 30 days not', async t => {
  const { id } = await make({ name: 'Deleted one', scopes: [{ name: 'a' }] })
  const listed = async (status: string) => (await asAdmin(`GET /resource-servers?status=${status}&q=Deleted%20one`)).data.map((one: { id: string }) => one.id)
  t.is((await asAdmin(`DELETE /resource-servers/${id}`)).status, 200)
  t.is((await asAdmin(`GET /resource-servers/${id}`)).status, 404)
  t.deepEqual([await listed('deleted'), await listed('active')], [[id], []])
  t.is((await asAdmin(`POST /resource-servers/${id}/restore`)).data.scopes.length, 1)
  t.deepEqual([await listed('deleted'), await listed('active')], [[], [id]])
  await asAdmin(`DELETE /resource-servers/${id}`)
  const { prisma } = api.server.resources.database
  await prisma.resourceServer.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  t.is((await asAdmin(`POST /resource-servers/${id}/restore`)).status, 404)
  t.true((await api.server.services.resourceServerAdministration.purge(systemActor, 100)) >= 1)
  t.like(await prisma.resourceServer.findUnique({ where: { id } }), { name: '', scopes: [] })
})

test('an organization sees and changes its own resource servers alone', async t => {
  const made = await own.asAdmin('POST /resource-servers', { identifier: address(), name: 'Ours' })
  t.is(made.status, 201)
  t.is(made.data.organization_id, own.id)
  const path = `/resource-servers/${made.data.id}`
  t.is((await other.asOwner(`GET ${path}`)).status, 404)
  t.is((await other.asOwner(`PATCH ${path}`, { name: 'Theirs' })).status, 404)
  t.is((await other.asOwner(`DELETE ${path}`)).status, 404)
  t.is((await own.asMember(`GET ${path}`)).status, 403)
  t.is((await own.asOwner(`PATCH /resource-servers/${(await make()).id}`, { name: 'Ours' })).status, 404)
  t.deepEqual((await other.asOwner('GET /resource-servers')).data, [])
  t.true((await own.asAdmin('GET /resource-servers')).data.some(({ id }: { id: string }) => id === made.data.id))
  t.is((await asAdmin(`GET /resource-servers?organization_id=${own.id}&q=${encodeURIComponent(made.data.identifier)}`)).meta?.total, 1)
})

test('pages of the list hold each resource server once', async t => {
  const q = `page-${randomUUID()}`
  const made = [await make({ name: q }), await make({ name: q }), await make({ name: q })].map(({ id }) => id)
  const first = await asAdmin(`GET /resource-servers?q=${q}&limit=2&sort=created_at`)
  const second = await asAdmin(`GET /resource-servers?q=${q}&limit=2&sort=created_at&after=${first.meta?.next_cursor}`)
  t.deepEqual(
    [...first.data, ...second.data].map(({ id }: { id: string }) => id),
    made,
  )
})

test('an organization that is deleted, restored and purged takes its resource servers along, and none becomes the system’s', async t => {
  const organization = (await asAdmin('POST /organizations', { name: 'Short-lived APIs' })).data
  const identifier = address()
  const { id } = (await asAdmin('POST /resource-servers', { identifier, name: 'Theirs', organization_id: organization.id })).data
  const find = async () => {
    await sleep(1100)
    return (await api.server.services.resourceServers.find(identifier))?.identifier
  }
  t.is(await find(), identifier)
  await asAdmin(`DELETE /organizations/${organization.id}`)
  t.is(await find(), undefined)
  await asAdmin(`POST /organizations/${organization.id}/restore`)
  t.is(await find(), identifier)
  await asAdmin(`DELETE /organizations/${organization.id}`)
  const { prisma } = api.server.resources.database
  await prisma.organization.update({ where: { id: organization.id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  await api.server.services.organizations.purge(systemActor, 100)
  t.is(await prisma.organization.count({ where: { id: organization.id } }), 0)
  t.is(await find(), undefined)
  t.is((await asAdmin(`POST /resource-servers/${id}/restore`)).status, 404)
})

const payment = {
  type: 'payment',
  title: 'Pay',
  schema: { type: 'object', properties: { amount: { type: 'number', minimum: 0 } }, required: ['amount'] },
}
const typed = (type: string, more: object = {}) => ({ authorization_details_types: [{ ...payment, type, ...more }] })

test('the name of a type of authorization details stays with its resource server', async t => {
  const type = `payment-${randomUUID()}`
  const { id, authorization_details_types: told } = await make(typed(type))
  t.deepEqual(told, [{ ...payment, type }])
  t.is((await asAdmin('POST /resource-servers', { identifier: address(), name: 'Copy', ...typed(type) })).status, 409)
  t.deepEqual((await asAdmin(`PATCH /resource-servers/${id}`, { authorization_details_types: [] })).data.authorization_details_types, [])
  t.is((await asAdmin('POST /resource-servers', { identifier: address(), name: 'Copy', ...typed(type) })).status, 409)
  t.is((await asAdmin(`PATCH /resource-servers/${id}`, typed(type, { title: 'Pay again' }))).data.authorization_details_types[0].title, 'Pay again')
})

test('an organization’s types begin with the identifier of their resource server', async t => {
  const identifier = address()
  const refused = await own.asOwner('POST /resource-servers', { identifier, name: 'Ours', ...typed(`theirs-${randomUUID()}`) })
  t.deepEqual(pathsOf(refused), ['authorization_details_types.0.type'])
  const next = await own.asOwner('POST /resource-servers', { identifier, name: 'Ours', ...typed(`${identifier}-2/payment`) })
  t.deepEqual(pathsOf(next), ['authorization_details_types.0.type'], 'which may be that of another')
  t.is((await own.asOwner('POST /resource-servers', { identifier, name: 'Ours', ...typed(`${identifier}/payment`) })).status, 201)
})

test('a schema that is more than our subset is refused where it is wrong', async t => {
  for (const schema of [
    {},
    { type: 'string' },
    { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } },
    { type: 'object', properties: { type: { type: 'string' } } },
  ]) {
    const refused = await asAdmin('POST /resource-servers', { identifier: address(), name: 'Orders', ...typed(randomUUID(), { schema }) })
    t.is(refused.status, 400, JSON.stringify(schema))
    t.true(pathsOf(refused)?.every(path => path.startsWith('authorization_details_types.0.schema')))
  }
})

test('of two who take an identifier at the same time one gets it', async t => {
  const identifier = address()
  const made = await Promise.all([1, 2, 3, 4].map(() => asAdmin('POST /resource-servers', { identifier, name: 'Raced' })))
  t.deepEqual(made.map(({ status }) => status).sort(), [201, 409, 409, 409])
})

const exchanger = { name: 'Exchanger', grant_types: ['client_credentials', exchangeGrant] }
const policy = { allowed_clients: 'own', audiences: [{ identifier: 'https://api.example/', scopes: ['read'] }], may_impersonate: true, may_delegate: false }

test('a policy is told as it was said, a part of one with the rest off, and null ends it', async t => {
  const made = await asAdmin('POST /clients', { ...exchanger, token_exchange: policy })
  t.is(made.status, 201)
  const { id } = made.data.client
  t.deepEqual(made.data.client.token_exchange, policy)
  const part = await asAdmin(`PATCH /clients/${id}`, { token_exchange: { allowed_clients: ['a', 'b'] } })
  t.deepEqual(part.data.token_exchange, { allowed_clients: ['a', 'b'], audiences: [], may_impersonate: false, may_delegate: false })
  t.deepEqual((await asAdmin(`PATCH /clients/${id}`, { name: 'Other' })).data.token_exchange, part.data.token_exchange)
  t.is((await asAdmin(`PATCH /clients/${id}`, { token_exchange: null })).data.token_exchange, null)
  t.is((await asAdmin('POST /clients', exchanger)).data.client.token_exchange, null)
})

test('a client that lost its policy exchanges nothing a second later', async t => {
  const { client, secret } = (await asAdmin('POST /clients', { ...exchanger, token_exchange: policy })).data
  const form = { grant_type: exchangeGrant, subject_token: 'x', subject_token_type: accessTokenType }
  const errorOf = async () => (await api.calls.post('/oauth2/token', form, { authorization: basic({ id: client.client_id, secret }) })).json.error
  t.is(await errorOf(), 'invalid_request')
  await asAdmin(`PATCH /clients/${client.id}`, { token_exchange: null })
  await sleep(1100)
  t.is(await errorOf(), 'unauthorized_client')
})

test('what is no policy is refused', async t => {
  const wrong = [
    { allowed_clients: 'all' },
    { allowed_clients: [1] },
    { audiences: ['https://api.example/'] },
    { audiences: [{ identifier: 'https://api.example/', scopes: ['two words'] }] },
    { may_impersonate: 'yes' },
    { may_do_everything: true },
  ]
  for (const token_exchange of wrong) t.is((await asAdmin('POST /clients', { ...exchanger, token_exchange })).status, 400, JSON.stringify(token_exchange))
})

test('only who holds every permission says it, and changes a client that has one', async t => {
  const { base, id, owner } = await makeOrganization(api)
  const token = owner.token
  t.is((await api.ask(`POST ${base}/clients`, { token, body: { ...exchanger, token_exchange: policy } })).status, 400)
  const { client } = (await asAdmin('POST /clients', { ...exchanger, organization_id: id, token_exchange: policy })).data
  t.is((await api.ask(`PATCH ${base}/clients/${client.id}`, { token, body: { token_exchange: policy } })).status, 400)
  for (const body of [{ name: 'Mine' }, { grant_types: ['client_credentials'] }])
    t.is((await api.ask(`PATCH ${base}/clients/${client.id}`, { token, body })).status, 403)
  t.is((await api.ask(`POST ${base}/clients/${client.id}/secrets`, { token, body: {} })).status, 403)
  const key = (await asAdmin('POST /api-keys', { name: 'Clerk', permissions: ['clients:read', 'clients:write'] })).data.key
  const bearer = { token: String(key) }
  t.is((await api.ask('POST /clients', { ...bearer, body: { ...exchanger, token_exchange: policy } })).status, 403)
  t.is((await api.ask('POST /clients', { ...bearer, body: exchanger })).status, 201)
  t.is((await api.ask(`GET /clients/${client.id}`, bearer)).status, 200)
})
