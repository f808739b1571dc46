// Connections over the API: made, changed, tested and deleted by their administrators, whose secrets are never told and go nowhere new;
// the roles they hand out are followed when renamed, and kept as long as somebody may get them.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { organizationPermissionNames, organizationPermissions } from '../../src/api/permissions.ts'
import { handedOutRoles } from '../../src/connectors/handed-roles.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { makeOrganization } from '../support/organization.ts'
import { startUpstream } from '../support/upstreams/upstream.ts'

let api: TestApi
let root: string
let provider: Listener
let canary: Listener
test.before(async () => {
  ;[provider, canary] = [await listen(), await listen()]
  api = await startApi()
  root = await makeAdmin(api)
})
test.after.always(async () => {
  provider?.server.close()
  canary?.server.close()
  await api?.close()
})

interface Listener {
  readonly server: Server
  readonly origin: string
  /** All that came, whole. */
  readonly heard: string[]
}

/** A provider's discovery document, and a memory of all that was asked. */
const listen = async (): Promise<Listener> => {
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(JSON.stringify([request.url, request.headers]))
    request.on('data', part => heard.push(String(part)))
    const { host } = request.headers
    const issuer = `http://${host}`
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      }),
    )
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}`, heard }
}

const secretOf = () => plant(`upstream ${randomUUID()}`)
const oidc = (more: object = {}) => ({
  connector: 'oidc',
  name: 'Company login',
  settings: { issuer: provider.origin, client_id: 'authy2' },
  secrets: { client_secret: secretOf() },
  ...more,
})
const make = async (more: object = {}) => {
  const place = await makeOrganization(api)
  const { data, status } = await place.asOwner('POST /connections', oidc(more))
  if (status !== 201) throw new Error(`making a connection answered ${status}`)
  return { ...place, connection: data, at: `/connections/${data.id}` }
}
const takesEffect = () => sleep(1100)

test('a connection is made, told, changed and listed, and its secret is never told', async t => {
  const { asOwner, asAdmin, asMember, connection, at, id } = await make({
    membership: { default: 'member', claim: 'groups', roles: [{ value: 'chiefs', role: 'admin' }] },
  })
  t.like(connection, {
    organization_id: id,
    connector: 'oidc',
    name: 'Company login',
    origin: 'api',
    settings: { issuer: provider.origin, client_id: 'authy2', scopes: ['openid', 'email', 'profile'], id_token_signed_response_alg: 'RS256' },
    trusts_emails: false,
    creates_users: true,
    membership: { default: 'member', claim: 'groups', roles: [{ value: 'chiefs', role: 'admin' }] },
    position: 0,
    disabled: false,
    available: true,
    callback_url: `${api.server.issuer}/connections/${connection.id}/callback`,
    entity_id: `${api.server.issuer}/connections/${connection.id}/metadata`,
    metadata_url: null,
  })
  const [set] = connection.secrets
  t.is(set.name, 'client_secret')
  t.true(Date.parse(set.set_at) <= Date.now())
  t.deepEqual((await asAdmin(`GET ${at}`)).data, connection)
  t.is((await asMember(`GET ${at}`)).status, 403)
  t.is((await asAdmin(`PATCH ${at}`, { name: 'Their login' })).status, 403)
  const changed = await asOwner(`PATCH ${at}`, { name: 'Our login', position: 3, creates_users: false })
  t.like(changed.data, { name: 'Our login', position: 3, creates_users: false, settings: connection.settings, secrets: connection.secrets })
  const list = await asAdmin('GET /connections')
  t.deepEqual([list.data, list.meta], [[changed.data], { limit: 20, next_cursor: null, total: 1 }])
  t.deepEqual((await asAdmin('GET /connections?connector=github')).data, [])
})

test('the secret stands in no answer, no row and no event', async t => {
  const secret = secretOf()
  const place = await makeOrganization(api)
  const made = await place.asOwner('POST /connections', oidc({ secrets: { client_secret: secret } }))
  const at = `/connections/${made.data.id}`
  const answers = [made, await place.asOwner(`GET ${at}`), await place.asOwner(`PATCH ${at}`, { secrets: { client_secret: secret } })]
  const { pool } = api.server.resources.database
  const rows = await pool.query('SELECT * FROM connections WHERE id = $1', [made.data.id])
  const events = await pool.query('SELECT action, target FROM audit_events WHERE target_id = $1 ORDER BY seq', [made.data.id])
  t.deepEqual(
    events.rows.map(({ action }) => action),
    ['connection.created', 'connection.updated'],
  )
  t.deepEqual(events.rows[1].target.changed, ['secrets'])
  for (const text of [...answers, rows.rows, events.rows].map(value => JSON.stringify(value))) t.false(text.includes(secret.slice(9)))
  const used = await api.server.services.connections.find(made.data.id)
  t.deepEqual(used?.configured.secrets, { client_secret: secret })
})

test('settings that the connector does not take are refused by their place', async t => {
  const { asOwner } = await makeOrganization(api)
  const paths = async (body: object) => (await asOwner('POST /connections', oidc(body))).error?.details.fields?.map(({ path }) => path)
  t.deepEqual(await paths({ connector: 'myspace' }), ['connector'])
  t.deepEqual(await paths({ settings: {} }), ['settings.issuer', 'settings.client_id'])
  t.deepEqual(await paths({ settings: { issuer: 'javascript:alert(1)', client_id: 'a' } }), ['settings.issuer'])
  t.deepEqual(await paths({ settings: { issuer: provider.origin, client_id: 'a', client_secret: 'b' } }), ['settings.client_secret'])
  t.deepEqual(await paths({ secrets: {} }), ['secrets.client_secret'])
  t.deepEqual(await paths({ secrets: { client_secret: 'a', other: 'b' } }), ['secrets.other'])
  t.deepEqual(await paths({ trusts_emails: true }), ['trusts_emails'])
  t.deepEqual(await paths({ membership: { default: 'nobody' } }), ['membership'])
  t.deepEqual(await paths({ membership: { roles: [{ value: 'chiefs', role: 'emperor' }] } }), ['membership'])
  t.deepEqual(await paths({ name: 'Log\u202ein' }), ['name'])
  t.deepEqual(await paths({ metadata_xml: '<EntityDescriptor/>' }), ['metadata_xml'])
  t.deepEqual(await paths({ metadata_url: provider.origin }), ['metadata_url'])
})

test('a kept secret does not travel to where it was not meant for', async t => {
  const secret = secretOf()
  const { asOwner, at, connection } = await make({ secrets: { client_secret: secret } })
  const elsewhere = { issuer: canary.origin, client_id: 'authy2' }
  for (const issuer of [canary.origin, `${provider.origin.replace('localhost', '127.0.0.1')}`, 'https://login.example.com', `${provider.origin}/other`]) {
    const refused = await asOwner(`PATCH ${at}`, { settings: { ...elsewhere, issuer } })
    t.is(refused.status, 400, issuer)
    t.is(refused.error?.details.fields?.[0]?.path, 'secrets')
  }
  t.deepEqual((await asOwner(`GET ${at}`)).data, connection)
  t.is((await asOwner(`PATCH ${at}`, { settings: { issuer: `${provider.origin}/`, client_id: 'authy3' } })).status, 200)
  const anew = await asOwner(`PATCH ${at}`, { settings: elsewhere, secrets: { client_secret: secretOf() } })
  t.is(anew.status, 200)
  t.true(anew.data.secrets[0].set_at > connection.secrets[0].set_at)
  await asOwner(`POST ${at}/test`)
  t.true(canary.heard.length > 0)
  t.false(canary.heard.join().includes(secret.slice(9)))
  // And the other way about, for the new one is as little the first provider's.
  t.is((await asOwner(`PATCH ${at}`, { settings: connection.settings })).status, 400)
})

test('settings and secrets are replaced whole', async t => {
  const { asOwner, at } = await make({ settings: { issuer: provider.origin, client_id: 'a', scopes: ['openid'] } })
  const { data } = await asOwner(`PATCH ${at}`, { settings: { issuer: provider.origin, client_id: 'b' } })
  t.like(data.settings, { client_id: 'b', scopes: ['openid', 'email', 'profile'] })
})

test('a test tells what was found, is in the log, and is done so often only', async t => {
  const upstream = await startUpstream()
  t.teardown(upstream.close)
  const { asOwner, at, id } = await make({
    settings: { issuer: upstream.issuer, client_id: upstream.client_id },
    secrets: { client_secret: upstream.client_secret },
  })
  const found = (await asOwner(`POST ${at}/test`)).data
  t.deepEqual(found[0], { check: 'discovery', good: true, detail: null })
  t.true(found.every(({ good }: { good: boolean }) => good))
  const { data } = await asOwner('POST /connections', oidc({ settings: { issuer: 'http://localhost:1', client_id: 'a' } }))
  const [finding] = (await asOwner(`POST /connections/${data.id}/test`)).data
  t.like(finding, { check: 'discovery', good: false })
  t.false(finding.detail.includes('ECONNREFUSED'))
  const { rows } = await api.server.resources.database.pool.query(
    "SELECT target FROM audit_events WHERE organization_id = $1 AND action = 'connection.tested' ORDER BY seq",
    [id],
  )
  t.deepEqual(
    rows.map(({ target }) => target.is_good),
    [true, false],
  )
  const statuses: number[] = []
  for (let count = 0; count < 29; count += 1) statuses.push((await asOwner(`POST ${at}/test`)).status)
  t.deepEqual([statuses[27], statuses[28]], [200, 429])
})

test('a connection that is disabled, deleted, or of a deleted organization is found by nobody, and comes back', async t => {
  const { asOwner, at, connection, id } = await make()
  const { connections, organizations } = api.server.services
  const isFound = async () => (await connections.find(connection.id)) !== undefined
  const buttons = async () => (await connections.buttonsFor({ organizationId: id })).map(one => one.id).filter(one => one === connection.id)
  t.true(await isFound())
  t.deepEqual(await buttons(), [connection.id])
  t.true((await asOwner(`PATCH ${at}`, { disabled: true })).data.disabled)
  t.false(await isFound())
  t.deepEqual(await buttons(), [])
  await asOwner(`PATCH ${at}`, { disabled: false })
  t.true(await isFound())

  t.is((await asOwner(`DELETE ${at}`)).status, 200)
  t.false(await isFound())
  for (const operation of [`GET ${at}`, `PATCH ${at}`, `DELETE ${at}`, `POST ${at}/test`])
    t.is((await asOwner(operation, operation.startsWith('P') ? {} : undefined)).status, 404, operation)
  t.deepEqual((await asOwner('GET /connections?status=deleted')).data.length, 1)
  t.is((await asOwner(`POST ${at}/restore`)).data.id, connection.id)
  t.true(await isFound())

  await organizations.remove(systemActor, id)
  await takesEffect()
  t.false(await isFound())
  t.deepEqual(await buttons(), [])
  await organizations.restore(systemActor, id)
  await takesEffect()
  t.true(await isFound())
})

test('what was deleted long ago is forgotten, and nothing else', async t => {
  const { asOwner, at, connection } = await make()
  const kept = await asOwner('POST /connections', oidc())
  await asOwner(`DELETE ${at}`)
  const { prisma } = api.server.resources.database
  await prisma.connection.update({ where: { id: connection.id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  t.is((await asOwner(`POST ${at}/restore`)).status, 404)
  t.is(await api.server.services.connectionAdministration.purge(systemActor, 100), 1)
  t.is(await prisma.connection.count({ where: { id: { in: [connection.id, kept.data.id] } } }), 1)
})

test('who says who somebody is can become an owner: only owners and administrators of the system do', async t => {
  const { asOwner, as, id } = await makeOrganization(api)
  const { roles, members, apiKeys } = api.server.services
  const keeper = await api.signIn()
  await roles.create(systemActor, {
    organizationId: id,
    name: 'keeper',
    permissions: ['connections:read', 'connections:write', 'organizations:read', 'members:read', 'roles:read'],
  })
  await members.add(systemActor, { organizationId: id, userId: keeper.id, role: 'keeper' })
  const asKeeper = as(keeper)
  const { data } = await asOwner('POST /connections', oidc({ membership: { default: 'keeper' } }))
  const at = `/connections/${data.id}`
  const every = organizationPermissionNames.filter(name => organizationPermissions('owner').has(name))
  const keys = await Promise.all(
    [{ organizationId: id }, {}].map(async more => (await apiKeys.create(systemActor, { name: 'Machine', permissions: every, ...more })).key),
  )
  const others = [asKeeper, ...keys.map(token => as({ ...keeper, token }))]
  const redrafted = { settings: { issuer: canary.origin, client_id: 'a' }, secrets: { client_secret: secretOf() } }
  const isRefused = async (operation: string, body: object) => {
    for (const [index, ask] of others.entries()) t.is((await ask(operation, body)).status, 403, `${index} ${operation} ${JSON.stringify(body)}`)
  }
  await isRefused('POST /connections', oidc())
  await isRefused('POST /connections', oidc({ disabled: true }))
  for (const change of [redrafted, { secrets: redrafted.secrets }, { membership: { default: 'member' } }]) await isRefused(`PATCH ${at}`, change)
  for (const change of [{ name: 'Kept' }, { position: 2 }, { disabled: true }]) t.is((await asKeeper(`PATCH ${at}`, change)).status, 200)
  await isRefused(`PATCH ${at}`, { disabled: false })
  t.is((await asOwner(`PATCH ${at}`, { disabled: false })).status, 200)
  t.is((await asKeeper(`PATCH ${at}`, { disabled: false, name: 'It was on' })).status, 200)
  t.is((await asKeeper(`DELETE ${at}`)).status, 200)
  await isRefused(`POST ${at}/restore`, {})
  t.is((await asOwner(`POST ${at}/restore`)).status, 200)
  t.is((await api.ask(`PATCH /organizations/${id}${at}`, { token: root, body: redrafted })).status, 200)
})

test('nobody has a connection touched that hands out a role that may do more than they may', async t => {
  const { asOwner, as, id } = await makeOrganization(api)
  const { roles, members } = api.server.services
  const keeper = await api.signIn()
  await roles.create(systemActor, { organizationId: id, name: 'keeper', permissions: ['connections:read', 'connections:write', 'organizations:read'] })
  await members.add(systemActor, { organizationId: id, userId: keeper.id, role: 'keeper' })
  const { data } = await asOwner('POST /connections', oidc({ membership: { default: 'owner' } }))
  t.is((await as(keeper)(`PATCH /connections/${data.id}`, { name: 'Taken' })).status, 403)
})

test('a role that is no more does not hold up its connection', async t => {
  const { asOwner, id } = await makeOrganization(api)
  const { roles } = api.server.services
  await roles.create(systemActor, { organizationId: id, name: 'passing', permissions: [] })
  const { data } = await asOwner('POST /connections', oidc({ membership: { default: 'passing' } }))
  await api.server.resources.database.prisma.organizationRole.deleteMany({ where: { organizationId: id, name: 'passing' } })
  t.is((await asOwner(`PATCH /connections/${data.id}`, { name: 'Goes on' })).status, 200)
  t.is((await asOwner(`PATCH /connections/${data.id}`, { membership: { default: 'passing' } })).status, 400)
})

test('a connection of another organization, or of the system, is not there', async t => {
  const { at, connection } = await make()
  const other = await make()
  const system = await api.ask('POST /connections', { token: root, body: oidc() })
  for (const path of [at, `/connections/${system.data.id}`])
    for (const [operation, body] of [
      [`GET ${path}`],
      [`PATCH ${path}`, { name: 'Mine' }],
      [`PATCH ${path}`, {}],
      [`DELETE ${path}`],
      [`POST ${path}/test`, {}],
      [`POST ${path}/restore`, {}],
    ] as const)
      t.is((await other.asOwner(operation, body)).status, 404, operation)
  t.is((await api.ask(`GET /connections/${connection.id}`, { token: root })).status, 404)
  t.is((await api.ask(`GET /organizations/${other.id}${at}`, { token: root })).status, 404)
  t.is((await api.ask('GET /connections', { token: other.owner.token })).status, 403)
})

test('only an administrator of the system has it believe a provider', async t => {
  const { data } = await api.ask('POST /connections', { token: root, body: oidc({ trusts_emails: true, position: 1 }) })
  t.true(data.trusts_emails)
  t.is(data.membership, null)
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Machine', permissions: ['connections:read', 'connections:write'] })
  const machine = (operation: string, body?: object) => api.ask(operation, { token: key, body })
  t.is((await machine('POST /connections', oidc({ trusts_emails: true }))).status, 403)
  const own = await machine('POST /connections', oidc())
  t.is(own.status, 201)
  t.is((await machine(`PATCH /connections/${own.data.id}`, { trusts_emails: true })).status, 403)
  t.is(
    (await machine(`PATCH /connections/${data.id}`, { settings: { issuer: canary.origin, client_id: 'a' }, secrets: { client_secret: secretOf() } })).status,
    403,
  )
  t.is((await machine(`PATCH /connections/${data.id}`, { name: 'Renamed', trusts_emails: false })).status, 200)
  await machine(`DELETE /connections/${data.id}`)
  t.is((await api.ask('POST /connections', { token: root, body: oidc({ membership: {} }) })).error?.details.fields?.[0]?.path, 'membership')
})

test('only an administrator of the system has it believe a provider again', async t => {
  const { data } = await api.ask('POST /connections', { token: root, body: oidc({ trusts_emails: true, disabled: true, position: 1 }) })
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Machine', permissions: ['connections:read', 'connections:write'] })
  const patch = (token: string, body: object) => api.ask(`PATCH /connections/${data.id}`, { token, body })
  t.is((await patch(key, { disabled: false })).status, 403)
  t.is((await patch(key, { disabled: false, position: 2 })).status, 403)
  t.is((await patch(key, { name: 'Renamed', disabled: true })).status, 200)
  t.is((await patch(root, { disabled: false })).status, 200)
  t.is((await patch(key, { disabled: false })).status, 200)
  t.is((await patch(key, { disabled: true })).status, 200)
  t.is((await patch(key, { disabled: false, trusts_emails: false })).status, 200)
  await api.ask(`DELETE /connections/${data.id}`, { token: root })
})

test('twenty that are sent at once with one key make one connection', async t => {
  const { asOwner } = await makeOrganization(api)
  const key = randomUUID()
  const body = oidc()
  const replies = await Promise.all(Array.from({ length: 20 }, () => asOwner('POST /connections', body, { 'idempotency-key': key })))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [201])
  t.is(new Set(replies.map(({ data }) => data.id)).size, 1)
  t.is((await asOwner('GET /connections')).meta?.total, 1)
})

test('a change that was made on another state is refused', async t => {
  const { asOwner, at } = await make()
  const { headers } = await asOwner(`GET ${at}`)
  const match = { 'if-match': String(headers.etag) }
  t.is((await asOwner(`PATCH ${at}`, { name: 'First' }, match)).status, 200)
  t.is((await asOwner(`PATCH ${at}`, { name: 'Second' }, match)).status, 412)
  t.is((await asOwner(`PATCH ${at}`, {}, match)).status, 412)
})

test('the tag of an answer is another one wherever the answer is', async t => {
  const { asOwner, at, connection } = await make()
  const before = await asOwner(`GET ${at}`)
  // As if its kind, or what the environment says of it, were gone since the server started anew.
  await api.server.resources.database.pool.query("UPDATE connections SET connector = 'myspace' WHERE id = $1", [connection.id])
  const after = await asOwner(`GET ${at}`)
  t.deepEqual([before.data.available, after.data.available, after.data.updated_at], [true, false, before.data.updated_at])
  t.not(after.headers.etag, before.headers.etag)
  for (const body of [{}, { name: 'Other' }]) t.is((await asOwner(`PATCH ${at}`, body, { 'if-match': String(before.headers.etag) })).status, 412)
  t.is((await asOwner(`PATCH ${at}`, { name: 'Other' }, { 'if-match': String(after.headers.etag) })).status, 200)
})

test('the kinds are told with their schemas and the names of their secrets', async t => {
  const { owner, member } = await makeOrganization(api)
  const { data } = await api.ask('GET /connectors', { token: owner.token })
  const kind = data.find(({ id }: { id: string }) => id === 'oidc')
  t.like(kind, { name: 'OpenID Connect', secrets: ['client_secret'], reads_metadata: false })
  t.deepEqual(kind.settings.required, ['issuer', 'client_id'])
  t.deepEqual(Object.keys(kind.settings.properties).slice(0, 2), ['issuer', 'client_id'])
  t.is((await api.ask('GET /connectors', { token: member.token })).status, 403)
})

test('the pages of a client offer what it names, out of what applies', async t => {
  const { asOwner, connection, id } = await make()
  const second = (await asOwner('POST /connections', oidc({ position: 1 }))).data
  const stranger = await make()
  const client = (await asOwner('POST /clients', { name: 'App', redirect_uris: ['https://app.example/cb'] })).data.client
  t.is(client.connections, null)
  const { findConnectionRule, connections } = api.server.services
  const offered = async () =>
    (await connections.buttonsFor(await findConnectionRule(client.client_id)))
      .filter(({ id }) => [connection.id, second.id, stranger.connection.id].includes(id))
      .map(one => one.id)
  t.deepEqual(await offered(), [connection.id, second.id])
  const patch = (connections: unknown) => asOwner(`PATCH /clients/${client.id}`, { connections })
  t.deepEqual((await patch([second.id])).data.connections, [second.id])
  t.deepEqual(await offered(), [second.id])
  t.deepEqual((await patch([])).data.connections, [])
  t.deepEqual(await offered(), [])
  for (const wrong of [[stranger.connection.id], [second.id, randomUUID()], ['x']]) t.is((await patch(wrong)).status, 400)
  t.is((await patch(null)).data.connections, null)
  t.deepEqual(await offered(), [connection.id, second.id])
  t.is((await asOwner('POST /clients', { name: 'B', redirect_uris: ['https://b.example/cb'], connections: [stranger.connection.id] })).status, 400)
  t.deepEqual((await asOwner('POST /clients', { name: 'C', redirect_uris: ['https://c.example/cb'], connections: [second.id] })).data.client.connections, [
    second.id,
  ])
  t.deepEqual(await findConnectionRule(client.client_id), { organizationId: id, clientConnections: undefined, isFirstParty: false })
})

const makeHanding = async () => {
  const place = await makeOrganization(api)
  for (const name of ['guest', 'chief']) await place.asOwner('POST /roles', { name, permissions: ['organizations:read'] })
  const membership = { default: 'guest', claim: 'groups', roles: [{ value: 'chiefs', role: 'chief' }] }
  const settings = { issuer: 'https://sso.example', client_id: 'authy2' }
  const given = { connector: 'oidc', name: 'Company login', settings, secrets: { client_secret: plant(`handed ${randomUUID()}`) }, membership }
  const { data } = await place.asOwner('POST /connections', given)
  return { ...place, at: `/connections/${data.id}` }
}

test('a connection hands out a role under its new name', async t => {
  const { asOwner, at } = await makeHanding()
  t.is((await asOwner('PATCH /roles/guest', { name: 'visitor' })).status, 200)
  t.deepEqual((await asOwner(`GET ${at}`)).data.membership, { default: 'visitor', claim: 'groups', roles: [{ value: 'chiefs', role: 'chief' }] })
  t.is((await asOwner('PATCH /roles/chief', { name: 'head' })).status, 200)
  t.deepEqual((await asOwner(`GET ${at}`)).data.membership.roles, [{ value: 'chiefs', role: 'head' }])
})

test('a role that a connection hands out is not deleted, and is once none does', async t => {
  const { asOwner, at, id } = await makeHanding()
  for (const role of ['guest', 'chief']) t.is((await asOwner(`DELETE /roles/${role}`)).status, 409, role)
  t.is((await asOwner(`PATCH ${at}`, { membership: { default: 'member' } })).status, 200)
  t.is((await asOwner('DELETE /roles/chief')).status, 200)
  const { database } = api.server.resources
  t.false(await database.prisma.$transaction(tx => handedOutRoles.has(tx, { organizationId: id, name: 'guest' })))
})
