// Clients through the API: made, checked by the engine's rules, changed, their secrets rotated, deleted and brought back, whoever they come from.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { purgeVoidSecrets } from '../../src/clients/void-secrets.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { basic } from '../support/calls.ts'
import { jwksOf, makeKeys, shortKey } from '../support/protected-clients.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
  jwks = await jwksOf(await makeKeys())
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const machine = { name: 'Machine', grant_types: ['client_credentials'] }
const token = async (id: string, secret: string) =>
  (await api.calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic({ id, secret }) })).status

test('a client gets a secret that is shown once and works, and never again', async t => {
  const made = await asAdmin('POST /clients', machine)
  t.is(made.status, 201)
  const { client, secret } = made.data
  t.is(await token(client.client_id, secret), 200)
  const read = await asAdmin(`GET /clients/${client.id}`)
  t.false(JSON.stringify(read).includes(secret))
  t.is(read.data.secrets[0].hint, secret.slice(-4))
  t.is((await asAdmin(`GET /clients/${client.client_id}`)).data.id, client.id)
})

test('several secrets live together, each is revoked or expires alone', async t => {
  const { client, secret } = (await asAdmin('POST /clients', machine)).data
  const second = await asAdmin(`POST /clients/${client.id}/secrets`, { expires_at: new Date(Date.now() + 600_000).toISOString() })
  t.is(second.status, 201)
  await sleep(1100)
  t.deepEqual([await token(client.client_id, secret), await token(client.client_id, second.data.secret)], [200, 200])
  t.is((await asAdmin(`DELETE /clients/${client.id}/secrets/${client.secrets[0].id}`)).status, 200)
  t.is((await asAdmin(`DELETE /clients/${client.id}/secrets/${client.secrets[0].id}`)).status, 404)
  await sleep(1100)
  t.deepEqual([await token(client.client_id, secret), await token(client.client_id, second.data.secret)], [401, 200])
  // Its time comes.
  const { prisma } = api.server.resources.database
  await prisma.clientSecret.update({ where: { id: second.data.client_secret.id }, data: { expiresAt: new Date(Date.now() - 1) } })
  await prisma.client.update({ where: { id: client.id }, data: { version: { increment: 1 } } })
  await sleep(1100)
  t.is(await token(client.client_id, second.data.secret), 401)
  t.is((await asAdmin(`POST /clients/${client.id}/secrets`, { expires_at: '2001-01-01T00:00:00Z' })).status, 400)
})

test('secrets that expired or were revoked leave room for others, and are forgotten a month later', async t => {
  const { prisma } = api.server.resources.database
  const { client } = (await asAdmin('POST /clients', machine)).data
  const soon = { expires_at: new Date(Date.now() + 60_000).toISOString() }
  const add = () => asAdmin(`POST /clients/${client.id}/secrets`, soon)
  for (let count = 1; count < 10; count += 1) t.is((await add()).status, 201)
  t.is((await add()).status, 409)
  const expire = (days: number) =>
    prisma.clientSecret.updateMany({ where: { clientId: client.id }, data: { expiresAt: new Date(Date.now() - days * 86_400_000) } })
  await expire(1)
  const { data } = await add()
  const revoked = await add()
  await asAdmin(`DELETE /clients/${client.id}/secrets/${revoked.data.client_secret.id}`)
  const left = async () => {
    await purgeVoidSecrets(api.server.resources.database, 100)
    return (await prisma.clientSecret.findMany({ where: { clientId: client.id } })).map(({ id }) => id)
  }
  t.is((await left()).length, 12)
  await expire(31)
  await prisma.clientSecret.update({ where: { id: data.client_secret.id }, data: { expiresAt: null } })
  t.deepEqual(await left(), [data.client_secret.id])
})

test('a client that is switched off or deleted gets nothing a second later', async t => {
  const { client, secret } = (await asAdmin('POST /clients', machine)).data
  t.is((await asAdmin(`PATCH /clients/${client.id}`, { disabled: true })).data.disabled, true)
  await sleep(1100)
  t.is(await token(client.client_id, secret), 401)
  await asAdmin(`PATCH /clients/${client.id}`, { disabled: false })
  await sleep(1100)
  t.is(await token(client.client_id, secret), 200)
  t.is((await asAdmin(`DELETE /clients/${client.id}`)).status, 200)
  t.is((await asAdmin(`GET /clients/${client.id}`)).status, 404)
  await sleep(1100)
  t.is(await token(client.client_id, secret), 401)
})

test('what the engine would not take is refused before it is kept', async t => {
  const web = { name: 'Web', redirect_uris: ['https://app.example/callback'] }
  t.is((await asAdmin('POST /clients', web)).status, 201)
  for (const redirect of ['https://app.example/callback#fragment', 'http://app.example/callback', 'javascript:alert(1)', '/callback', 'not an address']) {
    const refused = await asAdmin('POST /clients', { ...web, redirect_uris: [redirect] })
    t.is(refused.status, 400, redirect)
    t.is(refused.error?.details.fields?.[0]?.path, 'redirect_uris', redirect)
  }
  t.is((await asAdmin('POST /clients', { ...web, redirect_uris: ['http://127.0.0.1/callback'], metadata: { application_type: 'native' } })).status, 201)
  t.is((await asAdmin('POST /clients', { name: 'No redirect' })).status, 400)
  for (const name of ['jwks_uri', 'backchannel_logout_uri'])
    for (const address of ['http://inside.example/it', 'https://inside.example/it#part']) {
      const refused = await asAdmin('POST /clients', { ...web, metadata: { [name]: address } })
      t.deepEqual([refused.status, refused.error?.details.fields?.[0]?.path], [400, `metadata.${name}`], address)
    }
  const withoutKeys = [
    { token_endpoint_auth_method: 'private_key_jwt' },
    { metadata: { id_token_encrypted_response_alg: 'RSA-OAEP-256' } },
    { metadata: { jwks: { keys: [shortKey] } } },
    { metadata: { jwks: { keys: [] }, authorization_encrypted_response_alg: 'RSA-OAEP-256' } },
    { metadata: { jwks, authorization_encrypted_response_alg: 'RSA-OAEP-256' } },
  ]
  for (const given of withoutKeys) {
    const { status, error } = await asAdmin('POST /clients', { ...web, ...given })
    t.is(status, 400)
    t.is(error?.details.fields?.[0]?.path, 'metadata.jwks', JSON.stringify(error))
  }
  t.is((await asAdmin('POST /clients', { ...web, metadata: { client_id: 'mine' } })).status, 400)
  t.is((await asAdmin('POST /clients', { ...web, token_endpoint_auth_method: 'private_key_jwt' })).status, 400)
  const { client } = (await asAdmin('POST /clients', web)).data
  t.is((await asAdmin(`PATCH /clients/${client.id}`, { redirect_uris: [] })).status, 400)
  t.deepEqual((await asAdmin(`GET /clients/${client.id}`)).data.redirect_uris, web.redirect_uris)
})

test('what a client registered goes through the API and back, and a change there loses nothing of it', async t => {
  const { app, issuer } = api.server
  const token = await new (app.protocol.engine.current().InitialAccessToken)().save()
  const own = { redirect_uris: ['https://app.example/callback'], scope: 'openid', initiate_login_uri: 'https://app.example/login' }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const made = await fetch(`${issuer}/oauth2/register`, { method: 'POST', headers, body: JSON.stringify(own) })
  const registered = (await made.json()) as Record<string, string>
  const path = `/clients/${registered.client_id}`
  const { metadata } = (await asAdmin(`GET ${path}`)).data
  t.like(metadata, { scope: 'openid', initiate_login_uri: own.initiate_login_uri })
  t.is((await asAdmin(`PATCH ${path}`, { metadata })).status, 200)
  const changed = { ...metadata, client_uri: 'https://app.example/', initiate_login_uri: 'https://app.example/begin' }
  t.deepEqual((await asAdmin(`PATCH ${path}`, { metadata: changed })).data.metadata, changed)
  const read = await fetch(String(registered.registration_client_uri), { headers: { authorization: `Bearer ${registered.registration_access_token}` } })
  t.like(await read.json(), { ...changed, client_id_issued_at: registered.client_id_issued_at })
  for (const address of ['http://app.example/begin', 'http://127.0.0.1/begin', 'https://app.example/#begin'])
    t.is((await asAdmin(`PATCH ${path}`, { metadata: { ...changed, initiate_login_uri: address } })).status, 400, address)
})

test('a client is registered for an ID token at once where that is switched on, with the grant types that go with it (RFC 7591 §2.1)', async t => {
  const switched = await startApi({ RESPONSE_TYPES: 'id_token,code id_token' })
  t.teardown(switched.close)
  const token = await makeAdmin(switched)
  const ask = (operation: string, body: object) => switched.ask(operation, { token, body })
  const web = { name: 'Hybrid', redirect_uris: ['https://app.example/callback'] }
  const hybrid = { ...web, grant_types: ['authorization_code', 'implicit'], response_types: ['code id_token'] }
  const made = await ask('POST /clients', hybrid)
  t.deepEqual([made.status, made.data.client.response_types], [201, ['code id_token']])
  const path = `/clients/${made.data.client.id}`
  t.deepEqual((await ask(`PATCH ${path}`, { name: 'Another' })).data.response_types, ['code id_token'])
  const refusals: readonly (readonly [field: string, body: object])[] = [
    ['grant_types', { ...web, response_types: ['id_token'] }],
    ['response_types', { ...web, grant_types: ['authorization_code', 'implicit'] }],
    ['grant_types', { ...web, grant_types: ['implicit'], response_types: ['code id_token'] }],
    ['response_types.0', { ...hybrid, response_types: ['code id_token token'] }],
    ['redirect_uris', { ...hybrid, redirect_uris: ['http://127.0.0.1/callback'] }],
    ['response_types', { ...hybrid, ...safe() }],
  ]
  for (const [field, body] of refusals) {
    const { status, error } = await ask('POST /clients', body)
    t.deepEqual([status, error?.details.fields?.[0]?.path], [400, field], JSON.stringify(body))
  }
  t.is((await ask(`PATCH ${path}`, { grant_types: ['authorization_code'] })).status, 200)
  t.is((await asAdmin('POST /clients', hybrid)).status, 400)
})

test('a client of an organization that is not there is not made', async t => {
  const id = '01900000-0000-7000-8000-000000000000'
  t.is((await asAdmin(`POST /organizations/${id}/clients`, machine)).status, 404)
  t.is((await asAdmin('POST /clients', { ...machine, organization_id: id })).status, 404)
  t.is((await asAdmin(`GET /organizations/${id}/members`)).status, 404)
})

test('a public client has no secret and gets none', async t => {
  const { client, secret } = (
    await asAdmin('POST /clients', { name: 'App', token_endpoint_auth_method: 'none', redirect_uris: ['https://app.example/callback'] })
  ).data
  t.is(secret, undefined)
  t.is((await asAdmin(`POST /clients/${client.id}/secrets`)).status, 409)
  t.true((await asAdmin(`PATCH /clients/${client.id}`, { require_pkce: false })).data.require_pkce)
})

test('a public client never asks for itself, and one that was kept so gets no token', async t => {
  const body = { name: 'App', token_endpoint_auth_method: 'none', redirect_uris: ['https://app.example/callback'] }
  const both = ['authorization_code', 'client_credentials']
  const refused = await asAdmin('POST /clients', { ...body, grant_types: both })
  t.deepEqual([refused.status, refused.error?.details.fields?.[0]?.path], [400, 'grant_types'])
  const { client } = (await asAdmin('POST /clients', body)).data
  t.is((await asAdmin(`PATCH /clients/${client.id}`, { grant_types: both })).status, 400)
  t.is((await asAdmin(`PATCH /clients/${(await asAdmin('POST /clients', machine)).data.client.id}`, { token_endpoint_auth_method: 'none' })).status, 400)
  const clientId = 'kept-public-machine'
  await api.server.services.clients.create(systemActor, { clientId, name: 'Kept', authenticationMethod: 'none', grantTypes: ['client_credentials'] })
  const { status, json } = await api.calls.post('/oauth2/token', { grant_type: 'client_credentials', client_id: clientId })
  t.deepEqual([status, json.access_token], [400, undefined])
})

test('a redirect URI with a wildcard or with user information is refused', async t => {
  for (const uri of ['https://*.shop.example/', 'https://shop.example/*', 'https://shop.example@evil.example/', 'https://a:b@shop.example/']) {
    const { status, error } = await asAdmin('POST /clients', { name: 'App', redirect_uris: [uri] })
    t.deepEqual([status, error?.details.fields?.[0]?.path], [400, 'redirect_uris'], uri)
  }
})

test('an update of what was changed meanwhile is refused', async t => {
  const { client } = (await asAdmin('POST /clients', machine)).data
  const { headers } = await asAdmin(`GET /clients/${client.id}`)
  const update = (name: string) => api.ask(`PATCH /clients/${client.id}`, { token: admin, body: { name }, headers: { 'if-match': String(headers.etag) } })
  t.is((await update('First')).status, 200)
  t.is((await update('Second')).status, 412)
})

test('an organization manages its own clients, and only those', async t => {
  const [owner, other] = [await api.signIn(), await api.signIn()]
  const organization = async (token: string) => (await api.ask('POST /organizations', { token, body: { name: 'Clients of ours' } })).data.id
  const [own, foreign] = [await organization(owner.token), await organization(other.token)]
  const made = await api.ask(`POST /organizations/${own}/clients`, { token: owner.token, body: machine })
  t.is(made.status, 201)
  t.is(made.data.client.organization_id, own)
  const { id } = made.data.client
  t.is((await api.ask(`GET /organizations/${own}/clients`, { token: owner.token })).meta?.total, 1)
  for (const operation of ['GET', 'PATCH', 'DELETE'])
    t.is(
      (
        await api.ask(`${operation} /organizations/${foreign}/clients/${id}`, {
          token: other.token,
          body: operation === 'PATCH' ? { name: 'Taken' } : undefined,
        })
      ).status,
      404,
    )
  t.is((await api.ask(`GET /organizations/${own}/clients/${id}`, { token: other.token })).status, 404)
  t.is((await api.ask(`GET /clients/${id}`, { token: owner.token })).status, 403)
  for (const more of [{ first_party: true }, { organization_id: foreign }, { id }])
    t.is((await api.ask(`PATCH /organizations/${own}/clients/${id}`, { token: owner.token, body: more })).status, 400)
  t.is((await api.ask(`POST /organizations/${own}/clients`, { token: owner.token, body: { ...machine, first_party: true } })).status, 400)
})

test('a client of an organization is opened to its members alone, and one of none cannot be', async t => {
  const owner = await api.signIn()
  const { id } = (await api.ask('POST /organizations', { token: owner.token, body: { name: 'Members alone' } })).data
  const asOwner = (operation: string, body: unknown) => api.ask(operation, { token: owner.token, body })
  const { client } = (await asOwner(`POST /organizations/${id}/clients`, machine)).data
  t.false(client.is_members_only)
  t.true((await asOwner(`PATCH /organizations/${id}/clients/${client.id}`, { is_members_only: true })).data.is_members_only)
  t.true((await asOwner(`POST /organizations/${id}/clients`, { ...machine, is_members_only: true })).data.client.is_members_only)
  const refused = await asAdmin('POST /clients', { ...machine, is_members_only: true })
  t.deepEqual([refused.status, refused.error?.details?.fields?.[0]?.path], [400, 'is_members_only'])
  const { client: free } = (await asAdmin('POST /clients', machine)).data
  t.is((await asAdmin(`PATCH /clients/${free.id}`, { is_members_only: true })).status, 400)
})

test('what a client may do for itself is given, told, used and taken back through the API', async t => {
  const service = { ...machine, first_party: true, api_permissions: ['users:read'] }
  const { client, secret } = (await asAdmin('POST /clients', service)).data
  t.deepEqual(client.api_permissions, ['users:read'])
  const form = { grant_type: 'client_credentials', scope: 'users:read clients:read', resource: `${api.server.issuer}/api/v1` }
  const { json } = await api.calls.post('/oauth2/token', form, { authorization: basic({ id: client.client_id, secret }) })
  const asService = async (operation: string) => (await api.ask(operation, { token: String(json.access_token) })).status
  t.deepEqual([await asService('GET /users'), await asService('GET /clients')], [200, 403])
  const changed = await asAdmin(`PATCH /clients/${client.id}`, { metadata: {}, api_permissions: [] })
  t.deepEqual(changed.data.api_permissions, [])
  await sleep(1100)
  t.is(await asService('GET /users'), 403)
})

test('a client may exchange tokens for whatever a resource server may be called and have for a scope, and nothing longer', async t => {
  const give = async (audience: object) => {
    const { status, error } = await asAdmin('POST /clients', { ...machine, token_exchange: { audiences: [audience] } })
    return [status, error?.details.fields?.[0]?.path]
  }
  const [identifier, scope] = [`https://api.example/${'x'.repeat(980)}`, 's'.repeat(200)]
  t.is((await asAdmin('POST /resource-servers', { name: 'Long', identifier, scopes: [{ name: scope }] })).status, 201)
  t.deepEqual(await give({ identifier, scopes: [scope] }), [201, undefined])
  t.deepEqual(await give({ identifier: `${identifier}x`, scopes: [scope] }), [400, 'token_exchange.audiences.0.identifier'])
  t.deepEqual(await give({ identifier, scopes: [`${scope}s`] }), [400, 'token_exchange.audiences.0.scopes.0'])
})

test('a client is not enabled while its organization is deleted', async t => {
  const { services } = api.server
  const { id: organizationId } = await services.organizations.create(systemActor, { name: 'Gone with clients' })
  const { client } = (await asAdmin('POST /clients', { ...machine, organization_id: organizationId })).data
  await services.organizations.remove(systemActor, organizationId)
  const enable = async () => (await asAdmin(`PATCH /clients/${client.id}`, { disabled: false })).status
  t.is(await enable(), 409)
  t.is((await asAdmin(`GET /clients/${client.id}`)).data.disabled, true)
  const race = await Promise.all([services.organizations.restore(systemActor, organizationId), enable(), enable()])
  t.true(race.slice(1).every(status => status === 200 || status === 409))
  t.is(await enable(), 200)
})

test('a deleted client is found among the deleted and comes back as it was', async t => {
  const { client, secret } = (await asAdmin('POST /clients', machine)).data
  t.is((await asAdmin(`DELETE /clients/${client.id}`)).status, 200)
  const listed = async (status: string) => (await asAdmin(`GET /clients?status=${status}&q=${client.client_id}`)).data.map(({ id }: { id: string }) => id)
  t.deepEqual([await listed('deleted'), await listed('active')], [[client.id], []])
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 200)
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 404)
  t.deepEqual([await listed('deleted'), await listed('active')], [[], [client.id]])
  await sleep(1100)
  t.is(await token(client.client_id, secret), 200)
})

test('a client of a deleted organization, or one deleted long ago, does not come back', async t => {
  const organization = (await asAdmin('POST /organizations', { name: 'Short-lived' })).data
  const { client } = (await asAdmin(`POST /organizations/${organization.id}/clients`, machine)).data
  const path = `/organizations/${organization.id}/clients/${client.id}`
  t.is((await asAdmin(`DELETE ${path}`)).status, 200)
  t.is((await asAdmin(`POST ${path}/restore`)).status, 200)
  await asAdmin(`DELETE ${path}`)
  const { prisma } = api.server.resources.database
  await prisma.client.update({ where: { id: client.id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  t.is((await asAdmin(`POST ${path}/restore`)).status, 404)
  await prisma.client.update({ where: { id: client.id }, data: { deletedAt: new Date() } })
  await asAdmin(`DELETE /organizations/${organization.id}`)
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 409)
  const deleted = (await asAdmin('GET /organizations?status=deleted&q=Short-lived')).data
  t.deepEqual(
    deleted.map(({ id }: { id: string }) => id),
    [organization.id],
  )
})

const said = { tokenEndpointAuthMethod: 'none', grantTypes: ['authorization_code'], responseTypes: ['code'], redirectUris: ['http://127.0.0.1/cb'] }
const makeSaying = (source: 'open' | 'document', clientId: string) =>
  api.server.resources.database.prisma.client.create({ data: { clientId, source, name: 'Says so', postLogoutRedirectUris: [], ...said } })
const fields = (reply: Awaited<ReturnType<typeof asAdmin>>) => reply.error?.details.fields?.map(({ path }) => path)

test('a client is listed with whose word it is', async t => {
  const row = await makeSaying('document', 'https://listed.example.com/client.json')
  t.is((await asAdmin(`GET /clients/${row.id}`)).data.source, 'document')
  const made = await asAdmin('POST /clients', { name: 'Ours', redirect_uris: ['https://app.example/cb'] })
  t.is(made.data.client.source, 'operator')
})

test('a client that a document tells of can be disabled, enabled and deleted, and nothing else', async t => {
  const row = await makeSaying('document', 'https://changed.example.com/client.json')
  for (const change of [
    { name: 'Ours' },
    { first_party: true },
    { redirect_uris: ['https://evil.example/'] },
    { disabled: true, name: 'x' },
    { branding: {} },
  ]) {
    const reply = await asAdmin(`PATCH /clients/${row.id}`, change)
    t.is(reply.status, 400, JSON.stringify(change))
    t.deepEqual(fields(reply), [''])
  }
  t.true((await asAdmin(`PATCH /clients/${row.id}`, { disabled: true })).data.disabled)
  t.false((await asAdmin(`PATCH /clients/${row.id}`, { disabled: false })).data.disabled)
  t.is((await asAdmin(`POST /clients/${row.id}/secrets`, {})).status, 409)
  t.is((await asAdmin(`DELETE /clients/${row.id}`)).status, 200)
})

test('a client that anybody registered is not made the operator’s own, but may be given a better name', async t => {
  const row = await makeSaying('open', 'registered-by-anybody')
  t.deepEqual(fields(await asAdmin(`PATCH /clients/${row.id}`, { first_party: true })), ['first_party'])
  t.is((await asAdmin(`PATCH /clients/${row.id}`, { name: 'A better name' })).data.name, 'A better name')
})

test('a public client that comes back to the loopback alone is a native one, unless it says otherwise', async t => {
  const cases = [
    [{ redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'http://localhost/cb'] }, 'native'],
    [{ redirect_uris: ['http://127.0.0.1/cb'], metadata: { application_type: 'web' } }, 'web'],
    [{ redirect_uris: ['http://127.0.0.1/cb', 'https://app.example/cb'] }, undefined],
    [{ redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'client_secret_basic' }, undefined],
  ] as const
  for (const [changes, type] of cases) {
    const { data } = await asAdmin('POST /clients', { name: 'App', token_endpoint_auth_method: 'none', ...changes })
    t.is(data.client.metadata.application_type, type)
  }
})

let jwks: Awaited<ReturnType<typeof jwksOf>>

const safe = () => ({
  name: 'Bank',
  security_profile: 'fapi2',
  token_endpoint_auth_method: 'private_key_jwt',
  redirect_uris: ['https://bank.example/callback'],
  metadata: { jwks, dpop_bound_access_tokens: true },
})
const faults = async (body: object) => {
  const refused = await asAdmin('POST /clients', body)
  return refused.status === 400 ? (refused.error?.details.fields ?? []).map(({ path }) => path) : [String(refused.status)]
}

test('a client that keeps the rules has the profile, which is told and taken back', async t => {
  for (const profile of ['fapi2', 'fapi2_message_signing']) {
    const made = await asAdmin('POST /clients', { ...safe(), security_profile: profile })
    t.is(made.status, 201, JSON.stringify(made.error))
    t.is(made.data.client.security_profile, profile)
    const { id } = made.data.client
    t.is((await asAdmin(`PATCH /clients/${id}`, { security_profile: null })).data.security_profile, null)
    t.is((await asAdmin(`PATCH /clients/${id}`, { security_profile: 'fapi2' })).data.security_profile, 'fapi2')
  }
  t.is((await asAdmin('POST /clients', { ...safe(), security_profile: 'fapi1' })).status, 400)
})

test('every rule that is broken is told by its field', async t => {
  const plain = { name: 'Plain', security_profile: 'fapi2', redirect_uris: ['https://plain.example/callback'] }
  t.deepEqual(await faults(plain), ['token_endpoint_auth_method', 'metadata.dpop_bound_access_tokens'])
  t.deepEqual(await faults({ ...plain, token_endpoint_auth_method: 'none' }), ['token_endpoint_auth_method', 'metadata.dpop_bound_access_tokens'])
  t.deepEqual(await faults({ ...safe(), require_pkce: false }), ['require_pkce'])
  t.deepEqual(await faults({ ...safe(), redirect_uris: ['http://localhost:4000/callback'] }), ['redirect_uris'])
  t.deepEqual(await faults({ ...safe(), grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] }), ['grant_types'])
  for (const [name, value] of Object.entries({
    dpop_bound_access_tokens: false,
    require_pushed_authorization_requests: false,
    id_token_signed_response_alg: 'RS256',
    userinfo_signed_response_alg: 'RS256',
    introspection_signed_response_alg: 'RS256',
    authorization_signed_response_alg: 'RS256',
    request_object_signing_alg: 'RS256',
    token_endpoint_auth_signing_alg: 'RS256',
    backchannel_authentication_request_signing_alg: 'RS256',
  }))
    t.deepEqual(await faults({ ...safe(), metadata: { ...safe().metadata, [name]: value } }), [`metadata.${name}`])
  const signing = { ...safe(), security_profile: 'fapi2_message_signing' }
  t.deepEqual(await faults({ ...signing, metadata: { ...signing.metadata, require_signed_request_object: false } }), ['metadata.require_signed_request_object'])
  t.deepEqual(await faults({ ...signing, metadata: { ...signing.metadata, response_modes: ['jwt', 'query'] } }), ['metadata.response_modes'])
})

test('a native application may be answered on the loopback', async t => {
  const body = { ...safe(), redirect_uris: ['http://127.0.0.1/callback'], metadata: { ...safe().metadata, application_type: 'native' } }
  t.is((await asAdmin('POST /clients', body)).status, 201)
})

test('a client that breaks the rules is not given the profile, and one that has it is not changed beneath it', async t => {
  const plain = (await asAdmin('POST /clients', { name: 'Plain', redirect_uris: ['https://plain.example/callback'] })).data.client
  const refused = await asAdmin(`PATCH /clients/${plain.id}`, { security_profile: 'fapi2' })
  t.is(refused.error?.type, 'VALIDATION_ERROR')
  t.is((await asAdmin(`GET /clients/${plain.id}`)).data.security_profile, null)
  const { id } = (await asAdmin('POST /clients', safe())).data.client
  for (const change of [{ token_endpoint_auth_method: 'client_secret_basic' }, { metadata: { jwks } }, { require_pkce: false }])
    t.is((await asAdmin(`PATCH /clients/${id}`, change)).status, 400, JSON.stringify(change))
})

test('certificates are no way to authenticate where the server is given none', async t => {
  const metadata = { tls_client_auth_san_dns: 'client.example' }
  t.deepEqual(await faults({ ...safe(), security_profile: null, token_endpoint_auth_method: 'tls_client_auth', metadata }), ['token_endpoint_auth_method'])
})

test('registration gives no profile and takes none away (RFC 7592 §2.2)', async t => {
  const register = async (url: string, { method, token, body }: { method: string; token: string; body: object }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const { server } = api
  const initial = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const metadata = {
    client_name: 'Bank',
    token_endpoint_auth_method: 'private_key_jwt',
    redirect_uris: ['https://bank.example/callback'],
    dpop_bound_access_tokens: true,
    jwks,
  }
  const made = await register(`${server.issuer}/oauth2/register`, { method: 'POST', token: initial, body: { ...metadata, security_profile: 'fapi2' } })
  t.is(made.status, 201, JSON.stringify(made.json))
  const clientId = String(made.json.client_id)
  t.is((await asAdmin(`GET /clients/${clientId}`)).data.security_profile, null)

  const given = { jwks, dpop_bound_access_tokens: true, id_token_signed_response_alg: 'ES256' }
  const profiled = await asAdmin(`PATCH /clients/${clientId}`, { security_profile: 'fapi2', metadata: given })
  t.is(profiled.data?.security_profile, 'fapi2', JSON.stringify(profiled.error))
  const update = { client_id: clientId, ...metadata }
  const url = String(made.json.registration_client_uri)
  const left = await register(url, { method: 'PUT', token: String(made.json.registration_access_token), body: { ...update, dpop_bound_access_tokens: false } })
  t.is(left.json.error, 'invalid_client_metadata', JSON.stringify(left.json))
  t.is((await asAdmin(`GET /clients/${clientId}`)).data.security_profile, 'fapi2')
})
