// Who may call: session tokens, API keys, apps’ access tokens and our own pages; who may not, and what they are told (RFC 9728, RFC 6750 §3).
import test from 'ava'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'
import { createPerson } from '../support/person.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { makeUser } from '../support/users.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [person.id])
  admin = person.token
})
test.after.always(() => api?.close())

const sql = (text: string, values: unknown[]) => api.server.resources.database.pool.query(text, values)

for (const token of ['x', 'authy2s_', `authy2s_${'A'.repeat(43)}`, `authy2_${'A'.repeat(43)}`, 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', '%00'])
  test(`the credential ${token.slice(0, 20)} is told 401 and how to ask`, async t => {
    const reply = await api.ask('GET /auth/me', { token })
    t.deepEqual([reply.status, reply.error?.type], [401, 'UNAUTHORIZED'])
    t.regex(String(reply.headers['www-authenticate']), /^Bearer /)
  })

test('wrong credentials are refused also where none are needed', async t => {
  const reply = await api.ask('POST /auth/login', { token: 'nobody', body: { email: 'a@b.example', password: 'x' } })
  t.is(reply.status, 401)
  t.is((await api.ask('GET /auth/me', { headers: { authorization: 'Basic eDp5' } })).status, 401)
})

test('a session ends by age, by idleness, and with the person', async t => {
  for (const change of [
    "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1",
    "UPDATE sessions SET last_seen_at = now() - interval '25 hours' WHERE user_id = $1",
    'UPDATE users SET suspended_at = now() WHERE id = $1',
    'UPDATE users SET deleted_at = now() WHERE id = $1',
  ]) {
    const { id, token } = await api.signIn()
    t.is((await api.ask('GET /auth/me', { token })).status, 200)
    await sql(change, [id])
    t.is((await api.ask('GET /auth/me', { token })).status, 401, change)
  }
})

test('that a session was seen is noted once a minute', async t => {
  const { id, token } = await api.signIn()
  const seen = async () => (await sql('SELECT last_seen_at FROM sessions WHERE user_id = $1', [id])).rows[0].last_seen_at.getTime()
  const first = await seen()
  await api.ask('GET /auth/me', { token })
  t.is(await seen(), first)
  await sql("UPDATE sessions SET last_seen_at = now() - interval '2 minutes' WHERE user_id = $1", [id])
  await api.ask('GET /auth/me', { token })
  t.true((await seen()) >= first)
})

const tokenOf = async (scope: string, registered: { scope?: string; isFirstParty: boolean; organizationId?: string }) => {
  const { isFirstParty, organizationId, scope: registeredScope } = registered
  const machine = await makeClient(api.server, {
    grantTypes: ['client_credentials'],
    isFirstParty,
    organizationId,
    apiPermissions: registeredScope?.split(' '),
  })
  const { access_token: token } = await client.clientCredentialsGrant(machine.configuration, { scope, resource: `${api.server.issuer}/api/v1` })
  return token
}

test('the operator’s own machine has what it was registered for and asked for', async t => {
  const token = await tokenOf('api_keys:read', { scope: 'api_keys:read api_keys:write', isFirstParty: true })
  t.is((await api.ask('GET /api-keys', { token })).status, 200)
  t.is((await api.ask('POST /api-keys', { token, body: { name: 'x', permissions: ['api_keys:read'] } })).status, 403)
  t.is((await api.ask('GET /users/me', { token })).status, 403)
})

test('a machine that was registered for nothing, or is no operator’s, may nothing', async t => {
  for (const registered of [{ isFirstParty: true }, { scope: 'api_keys:read', isFirstParty: false }]) {
    const token = await tokenOf('api_keys:read', registered)
    t.is((await api.ask('GET /api-keys', { token })).status, 403)
  }
})

test('a machine of an organization acts there alone', async t => {
  const [mine, theirs] = await Promise.all(
    ['machines-1', 'machines-2'].map(slug => api.server.services.organizations.create(systemActor, { slug, name: slug })),
  )
  const token = await tokenOf('api_keys:read', { scope: 'api_keys:read', isFirstParty: false, organizationId: mine?.id })
  t.is((await api.ask(`GET /api-keys?organization_id=${mine?.id}`, { token })).status, 200)
  t.is((await api.ask(`GET /api-keys?organization_id=${theirs?.id}`, { token })).status, 404)
  t.is((await api.ask('GET /api-keys', { token })).status, 403)
})

test('an access token for another resource is no credential here', async t => {
  const machine = await makeClient(api.server, { grantTypes: ['client_credentials'] })
  const { access_token: token } = await client.clientCredentialsGrant(machine.configuration, {})
  t.is((await api.ask('GET /api-keys', { token })).status, 401)
})

test('an app has of a person’s permissions what was granted, and is never the person', async t => {
  const who = await makeUser(api.server)
  const { id: organizationId } = await api.server.services.organizations.create(systemActor, { slug: 'apps-1', name: 'Apps', ownerId: who.id })
  const app = await makeClient(api.server)
  const resource = `${api.server.issuer}/api/v1`
  const made = await app.request({ scope: 'openid members:read', resource })
  const back = await createPerson().authorize(made.url, { ...who, redirectUri })
  const { access_token: token } = await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource })
  t.is((await api.ask(`GET /organizations/${organizationId}/members`, { token })).status, 200)
  t.is((await api.ask(`GET /organizations/${organizationId}`, { token })).status, 403)
  t.is((await api.ask('GET /users', { token })).status, 403)
  for (const operation of ['GET /users/me', 'DELETE /users/me', 'GET /auth/sessions']) t.is((await api.ask(operation, { token })).status, 403, operation)
  await sql("UPDATE oidc_artifacts SET revoked_at = now() WHERE account_id = $1 AND kind = 'Grant'", [who.id])
  t.is((await api.ask(`GET /organizations/${organizationId}/members`, { token })).status, 401, 'the grant was revoked')
})

test('our own pages call with the browser’s session; writing needs its token, and no other origin may', async t => {
  const who = await makeUser(api.server)
  const { person } = await (await createRelyingParty(api.server.issuer)).signIn({ who })
  const cookie = [...person.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ')
  const own = { cookie, 'sec-fetch-site': 'same-origin' }
  const me = await api.ask('GET /auth/me', { headers: own })
  t.deepEqual([me.status, me.data?.id], [200, who.id])
  const rename = (headers: Record<string, string>) => api.ask('PATCH /users/me', { body: { full_name: 'By A Page' }, headers })
  const csrf = { 'x-csrf-token': String(me.data.csrf_token) }
  const refused = await rename(own)
  t.deepEqual([refused.status, refused.message], [403, 'The X-CSRF-Token header is missing or wrong; GET /auth/me tells it.'])
  t.is((await rename({ ...own, 'x-csrf-token': 'x' })).status, 403)
  t.is((await rename({ ...own, ...csrf, origin: api.server.issuer })).status, 200)
  const foreigners: readonly Record<string, string>[] = [
    { cookie },
    { cookie, 'sec-fetch-site': 'cross-site' },
    { cookie, 'sec-fetch-site': 'same-site' },
    { ...own, origin: 'https://evil.example' },
    { cookie, origin: 'null' },
  ]
  for (const foreign of foreigners) {
    t.is((await api.ask('GET /auth/me', { headers: foreign })).status, 401, JSON.stringify(Object.keys(foreign)))
    t.is((await rename({ ...foreign, ...csrf })).status, 401)
  }
  t.is((await api.ask('POST /auth/logout', { headers: { ...own, ...csrf } })).status, 200)
  t.is((await api.ask('GET /auth/me', { headers: own })).status, 401)
})

let admin: string

const makeKey = (body: object, token = admin) => api.ask('POST /api-keys', { token, body: { name: 'A key', ...body } })

test('a key is told once and does what it may', async t => {
  const made = await makeKey({ permissions: ['api_keys:read'] })
  t.is(made.status, 201)
  t.regex(made.data.key, /^authy2_[\w-]{43}$/)
  t.is(made.data.api_key.hint, made.data.key.slice(0, 11))
  const listed = await api.ask('GET /api-keys', { token: made.data.key })
  t.is(listed.status, 200)
  t.false(JSON.stringify(listed.data).includes(made.data.key))
  t.is((await makeKey({ permissions: ['api_keys:read'] }, made.data.key)).status, 403)
})

test('a revoked key and an expired one are no credentials', async t => {
  const [revoked, expired] = [
    await makeKey({ permissions: ['api_keys:read'] }),
    await makeKey({ permissions: ['api_keys:read'], expires_at: '2999-01-01T00:00:00Z' }),
  ]
  t.is((await api.ask(`DELETE /api-keys/${revoked.data.api_key.id}`, { token: admin })).status, 200)
  await api.server.resources.database.pool.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [expired.data.api_key.id])
  for (const { data } of [revoked, expired]) t.is((await api.ask('GET /api-keys', { token: data.key })).status, 401)
  t.is((await api.ask(`DELETE /api-keys/${revoked.data.api_key.id}`, { token: admin })).status, 404)
})

test('nobody gives a key more than they have', async t => {
  const { data } = await makeKey({ permissions: ['api_keys:read', 'api_keys:write'] })
  t.is((await makeKey({ permissions: ['users:write'] }, data.key)).status, 403)
  t.is((await makeKey({ permissions: ['api_keys:read'] }, data.key)).status, 201)
})

test('an organization’s key is made by its managers, acts there alone, and dies with it', async t => {
  const [owner, member, stranger] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { organizations, members } = api.server.services
  const { id } = await organizations.create(systemActor, { slug: 'keys-1', name: 'Keys', ownerId: owner.id })
  const other = await organizations.create(systemActor, { slug: 'keys-2', name: 'Others', ownerId: stranger.id })
  await members.add(systemActor, { organizationId: id, userId: member.id, role: 'member' }).catch(() => t.log('members.add by the system is refused'))
  const wanted = { organization_id: id, permissions: ['api_keys:read', 'members:read'] }
  t.is((await makeKey(wanted, stranger.token)).status, 404)
  const { status, data } = await makeKey(wanted, owner.token)
  t.is(status, 201)
  t.is((await makeKey({ ...wanted, permissions: ['users:read'] }, owner.token)).status, 403)
  t.is((await makeKey({ permissions: ['members:read'] }, owner.token)).status, 403)
  t.is((await api.ask(`GET /api-keys?organization_id=${id}`, { token: data.key })).status, 200)
  t.is((await api.ask(`GET /api-keys?organization_id=${other.id}`, { token: data.key })).status, 404)
  t.is((await api.ask('GET /api-keys', { token: data.key })).status, 403)
  t.is((await api.ask(`DELETE /api-keys/${data.api_key.id}`, { token: stranger.token })).status, 404)
  await api.server.resources.database.pool.query('UPDATE organizations SET deleted_at = now() WHERE id = $1', [id])
  t.is((await api.ask(`GET /api-keys?organization_id=${id}`, { token: data.key })).status, 401)
})

test('a key says who made it, also when they left: an organization keeps its keys', async t => {
  const [owner, maker] = [await api.signIn(), await api.signIn()]
  const { organizations, members } = api.server.services
  const { id } = await organizations.create(systemActor, { name: 'Kept keys', ownerId: owner.id })
  await members.add(systemActor, { organizationId: id, userId: maker.id, role: 'admin' })
  const wanted = { organization_id: id, permissions: ['api_keys:read', 'api_keys:write'] }
  const { data: made } = await makeKey(wanted, maker.token)
  const { data: byKey } = await makeKey(wanted, made.key)
  t.deepEqual([made.api_key.created_by, byKey.api_key.created_by], [maker.id, null])
  await members.remove(systemActor, { organizationId: id, userId: maker.id })
  const { data } = await api.ask(`GET /api-keys?organization_id=${id}`, { token: made.key })
  t.deepEqual(
    data.map((key: { id: string; created_by: string | null }) => [key.id, key.created_by]),
    [
      [byKey.api_key.id, null],
      [made.api_key.id, maker.id],
    ],
  )
})

test('what a key cannot be is refused', async t => {
  for (const body of [
    { permissions: [] },
    { permissions: ['everything'] },
    { permissions: ['api_keys:read'], expires_at: '2001-01-01T00:00:00Z' },
    { permissions: ['api_keys:read'], hash: 'x' },
    { permissions: ['api_keys:read'], organization_id: 'x' },
  ])
    t.is((await makeKey(body)).status, 400, JSON.stringify(body))
})

const resource = () => `${api.server.issuer}/api/v1`
const makeRoot = async () => {
  const root = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, root.id as never, { isAdmin: true })
  return root
}
const consented = async (app: Awaited<ReturnType<typeof makeClient>>, { email, scope }: { email: string; scope: string }) => {
  const made = await app.request({ scope: `openid ${scope}`, resource: resource() })
  const back = await createPerson().authorize(made.url, { email, password, redirectUri })
  return (await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource: resource() })).access_token
}

test('a first-party app that an organization administers gets no token for the management API in silence', async t => {
  const [root, { id: organizationId }] = [await makeRoot(), await makeOrganization(api)]
  const app = await makeClient(api.server, { organizationId })
  const { person } = await app.signIn({ who: { email: root.email, password } })
  const silent = await app.request({ prompt: 'none', scope: 'openid users:write', resource: resource() })
  const back = await person.get(silent.url)
  t.is(await refusal(client.authorizationCodeGrant(app.configuration, back.location as URL, silent.checks)), 'consent_required')
})

test('an app of an organization carries nothing of the system, also where an administrator consents', async t => {
  const [root, { id: organizationId }] = [await makeRoot(), await makeOrganization(api)]
  for (const isFirstParty of [true, false]) {
    const app = await makeClient(api.server, { organizationId, isFirstParty })
    const token = await consented(app, { email: root.email, scope: 'users:read users:write organizations:list' })
    for (const operation of ['GET /users', 'GET /organizations']) t.is((await api.ask(operation, { token })).status, 403, operation)
    t.is((await api.ask('POST /users', { token, body: { email: 'x@people.example' } })).status, 403)
  }
})

test('an app of one organization sees none of the others that its person belongs to', async t => {
  const [mine, other] = [await makeOrganization(api), await makeOrganization(api)]
  await api.server.services.members.add(systemActor, { organizationId: other.id, userId: mine.owner.id, role: 'owner' })
  const app = await makeClient(api.server, { organizationId: mine.id })
  const token = await consented(app, { email: mine.owner.email, scope: 'members:read api_keys:write' })
  t.is((await api.ask(`GET ${mine.base}/members`, { token })).status, 200)
  t.is((await api.ask(`GET ${other.base}/members`, { token })).status, 404)
  const key = (organization_id: string, permissions: string[]) => api.ask('POST /api-keys', { token, body: { name: 'x', organization_id, permissions } })
  t.is((await key(other.id, ['members:read'])).status, 404)
  t.is((await key(mine.id, ['members:write'])).status, 403, 'a key that outlives the token has no more than the token')
  t.is((await key(mine.id, ['members:read'])).status, 201)
})

test('who holds less than an administrator makes no first-party app of the system, nor redirects one', async t => {
  const root = await makeRoot()
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'x', permissions: ['clients:read', 'clients:write'] })
  const body = { name: 'x', redirect_uris: ['https://evil.example/'] }
  const app = await makeClient(api.server)
  const narrow = await consented(app, { email: root.email, scope: 'clients:write' })
  for (const token of [key, narrow]) {
    t.is((await api.ask('POST /clients', { token, body: { ...body, first_party: true } })).status, 403)
    t.is((await api.ask(`PATCH /clients/${app.clientId}`, { token, body: { redirect_uris: body.redirect_uris } })).status, 403)
    t.is((await api.ask(`POST /clients/${app.clientId}/secrets`, { token, body: {} })).status, 403)
    const { data } = await api.ask('POST /clients', { token, body })
    t.is((await api.ask(`PATCH /clients/${data.client.id}`, { token, body: { first_party: true } })).status, 403)
  }
  t.is((await api.ask('POST /clients', { token: root.token, body: { ...body, first_party: true } })).status, 201)
})

test('an app is shown the organizations that it was given to see, and without any is refused', async t => {
  const { owner, id } = await makeOrganization(api)
  const app = await makeClient(api.server)
  t.is((await api.ask('GET /organizations', { token: await consented(app, { email: owner.email, scope: 'members:read' }) })).status, 403)
  const { status, data } = await api.ask('GET /organizations', { token: await consented(app, { email: owner.email, scope: 'organizations:read' }) })
  t.deepEqual([status, data.map((one: { id: string }) => one.id)], [200, [id]])
  t.deepEqual((await api.ask('GET /organizations', { token: (await api.signIn()).token })).data, [])
})

const document = () => `${api.server.issuer}/.well-known/oauth-protected-resource/api/v1`
const challengeOf = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${resource()}${path}`, { headers })
  const told = response.headers.get('www-authenticate') ?? ''
  return { status: response.status, told, parameters: Object.fromEntries([...told.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])) }
}
const tokenWith = async (scope: string) => {
  const app = await makeClient(api.server)
  const made = await app.request({ scope: `openid ${scope}`, resource: resource() })
  const back = await createPerson().authorize(made.url, { ...(await makeUser(api.server)), redirectUri })
  return (await client.authorizationCodeGrant(app.configuration, back, made.checks)).access_token
}

test('a library finds the authorization server of our API by its address (RFC 9728 §3)', async t => {
  const url = new URL(resource())
  const found = await oauth.processResourceDiscoveryResponse(url, await oauth.resourceDiscoveryRequest(url, { [oauth.allowInsecureRequests]: true }))
  t.like(found, { resource: resource(), authorization_servers: [api.server.issuer], bearer_methods_supported: ['header'] })
  t.true(found.scopes_supported?.includes('resource_servers:write'))
})

test('the document is for pages of any origin, and for GET alone', async t => {
  const answer = await fetch(document(), { headers: { origin: 'https://app.example' } })
  t.is(answer.headers.get('access-control-allow-origin'), '*')
  t.regex(answer.headers.get('content-type') ?? '', /^application\/json/)
  t.is((await fetch(document(), { method: 'POST' })).status, 405)
  t.is((await fetch(`${api.server.issuer}/.well-known/oauth-protected-resource/api/v2`)).status, 404)
})

test('who sends no token is told where to begin, and no error (RFC 9728 §5.1, RFC 6750 §3)', async t => {
  for (const headers of [{}, { authorization: 'Basic YTpi' }] as Record<string, string>[]) {
    const { status, told, parameters } = await challengeOf('/users', headers)
    t.is(status, 401)
    t.true(told.startsWith('Bearer '))
    t.is(parameters.resource_metadata, document())
    t.false('error' in parameters)
  }
})

test('a token that is wrong is invalid_token (RFC 6750 §3.1)', async t => {
  for (const token of ['garbage', 'a.b.c', (await tokenWith('users:read')).slice(0, -3)]) {
    const { status, parameters } = await challengeOf('/users', { authorization: `Bearer ${token}` })
    t.is(status, 401)
    t.like(parameters, { error: 'invalid_token', resource_metadata: document() })
  }
})

test('a token without the scope of an operation is insufficient_scope, with the scope that it needs (RFC 6750 §3.1)', async t => {
  const { status, parameters } = await challengeOf('/users', { authorization: `Bearer ${await tokenWith('clients:read')}` })
  t.is(status, 403)
  t.like(parameters, { error: 'insufficient_scope', scope: 'users:read', resource_metadata: document() })
})

test('whom no scope would help is told of none: a token that has it, a session, a key', async t => {
  const person = await api.signIn()
  for (const token of [await tokenWith('users:read'), person.token]) {
    const { status, told } = await challengeOf('/users', { authorization: `Bearer ${token}` })
    t.is(status, 403)
    t.is(told, '')
  }
})
