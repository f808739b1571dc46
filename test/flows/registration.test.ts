// Clients that register themselves (RFC 7591) and look after their own registration (RFC 7592).
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { jwtBearer, makeKey } from '../support/agents.ts'
import { cibaGrant } from '../support/ciba.ts'
import { createPerson } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { CLIENT_REGISTRATION: 'token' } })
})
test.after.always(() => server?.close())

type Metadata = Record<string, unknown>
interface Registered {
  readonly client_id: string
  readonly client_secret?: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
}

const makeInitialAccessToken = () => new (server.app.protocol.engine.current().InitialAccessToken)().save()
const send = async (url: string, { method = 'GET', token, body }: { method?: string; token?: string; body?: Metadata | string } = {}) => {
  const response = await fetch(url, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: typeof body === 'object' ? JSON.stringify(body) : body,
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as Metadata }
}
const metadata = {
  client_name: 'A Registered Shop',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_post',
}
const register = async (changed: Metadata = {}) => {
  const answer = await send(`${server.issuer}/oauth2/register`, { method: 'POST', token: await makeInitialAccessToken(), body: { ...metadata, ...changed } })
  return { ...answer, registered: answer.body as unknown as Registered }
}

test('a client that an administrator made the operator’s own is not its developer’s to change any more (RFC 7592 §2.1)', async t => {
  const { registered } = await register()
  const { client_id: clientId, registration_client_uri: uri, registration_access_token: token } = registered
  await server.services.clientAdministration.update(systemActor, { id: clientId }, { isFirstParty: true })
  const body = { ...metadata, client_id: clientId, redirect_uris: ['https://elsewhere.example/callback'] }
  for (const method of ['GET', 'PUT', 'DELETE']) t.is((await send(uri, { method, token, body: method === 'PUT' ? body : undefined })).status, 403, method)
  t.deepEqual((await server.services.clients.find(clientId))?.metadata.redirect_uris, [redirectUri])
  await server.services.clientAdministration.update(systemActor, { id: clientId }, { isFirstParty: false })
  t.is((await send(uri, { method: 'PUT', token, body })).status, 200)
})

test('a wrong token is told as that, and who brings none only that one is needed (RFC 6750 §3.1)', async t => {
  const { registered } = await register()
  const closed = await startServer({ settings: { CLIENT_REGISTRATION: 'token' } })
  t.teardown(closed.close)
  const uri = registered.registration_client_uri
  for (const [method, url, body] of [
    ['POST', `${closed.issuer}/oauth2/register`, metadata],
    ['GET', uri, undefined],
    ['PUT', uri, metadata],
    ['DELETE', uri, undefined],
  ] as const) {
    const wrong = await send(url, { method, token: 'no-such-token', body })
    t.deepEqual([wrong.status, wrong.body.error], [401, 'invalid_token'], method)
    t.regex(wrong.headers.get('www-authenticate') ?? '', /^Bearer realm=.+error="invalid_token"/)
    const none = await send(url, { method, body })
    t.deepEqual([none.status, none.body], [401, {}], method)
    t.regex(none.headers.get('www-authenticate') ?? '', /^Bearer realm="[^"]+"$/)
  }
})

test('a registered client signs a person in, who is asked for consent under its name', async t => {
  const configuration = await client.dynamicClientRegistration(new URL(server.issuer), metadata, undefined, {
    initialAccessToken: await makeInitialAccessToken(),
    execute: [client.allowInsecureRequests],
  })
  const { client_id: clientId, client_secret: secret = '' } = configuration.clientMetadata()
  const { request } = await createRelyingParty(server.issuer, { clientId, auth: client.ClientSecretPost(String(secret)) })
  const made = await request()
  const person = createPerson()
  let page = await person.follow(await person.get(made.url), redirectUri)
  page = await person.follow(await person.submit(page, { username: bob.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: bob.password }), redirectUri)
  t.true(page.body.includes('name="decision"'))
  t.true(page.body.includes('A Registered Shop'))
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location as URL, made.checks)
  t.truthy(tokens.claims()?.sub)
  t.truthy((await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '')).access_token)
})

test('a client reads, changes and deletes its own registration, each time with the token of the last answer', async t => {
  const { registered, status } = await register()
  t.is(status, 201)
  const uri = registered.registration_client_uri
  const read = await send(uri, { token: registered.registration_access_token })
  t.is(read.status, 200)
  t.is(read.body.client_name, metadata.client_name)
  t.is(read.headers.get('cache-control'), 'no-store')

  const changed = await send(uri, {
    method: 'PUT',
    token: registered.registration_access_token,
    body: { ...metadata, client_id: registered.client_id, client_name: 'Renamed' },
  })
  t.is(changed.status, 200)
  t.is(changed.body.client_name, 'Renamed')
  const next = changed.body as unknown as Registered
  t.not(next.registration_access_token, registered.registration_access_token)
  t.is((await send(uri, { token: registered.registration_access_token })).status, 401)
  t.is((await send(uri, { token: next.registration_access_token })).body.client_name, 'Renamed')

  const { configuration } = await createRelyingParty(server.issuer, {
    clientId: registered.client_id,
    auth: client.ClientSecretPost(registered.client_secret),
  })
  t.false((await client.tokenIntrospection(configuration, 'no-such-token')).active)

  t.is((await send(uri, { method: 'DELETE', token: next.registration_access_token })).status, 204)
  t.is((await send(uri, { token: next.registration_access_token })).status, 401)
  await t.throwsAsync(client.tokenIntrospection(configuration, 'no-such-token'))
})

test('what a client asked people ends when it deletes itself, and waits for nobody when an administrator restores it', async t => {
  const more = { backchannel_token_delivery_mode: 'poll' }
  const { registered } = await register(more)
  const { client_id: id, client_secret: secret, registration_client_uri: uri, registration_access_token: token } = registered
  await server.services.clientAdministration.update(systemActor, { id }, { grantTypes: [...metadata.grant_types, cibaGrant], metadata: more })
  const { configuration } = await createRelyingParty(server.issuer, { clientId: id, auth: client.ClientSecretPost(secret) })
  const who = await makeUser(server)
  await client.initiateBackchannelAuthentication(configuration, { scope: 'openid', login_hint: who.email })
  const waiting = () => server.services.backchannelRequests.countWaiting(who.id)
  t.is(await waiting(), 1)
  t.is((await send(uri, { method: 'DELETE', token })).status, 204)
  await server.services.clientAdministration.restore(systemActor, { id }, {})
  t.is(await waiting(), 0)
})

test('of deletions at the same time by one registration token one is the end of the client, and is told once', async t => {
  const { registered } = await register()
  const { client_id: clientId, registration_client_uri: uri, registration_access_token: token } = registered
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(uri, { method: 'DELETE', token })))
  t.is(answers.filter(({ status }) => status === 204).length, 1)
  t.true(answers.every(({ status, body }) => status === 204 || (status === 401 && body.error === 'invalid_token')))
  const { auditEvent } = server.resources.database.prisma
  t.is(await auditEvent.count({ where: { action: 'client.deleted', target: { path: ['client_id'], equals: clientId } } }), 1)
})

test('of changes at the same time by one registration token one wins, and its answer’s token opens', async t => {
  const { registered } = await register()
  const { client_id, registration_client_uri: uri, registration_access_token: token } = registered
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => send(uri, { method: 'PUT', token, body: { ...metadata, client_id, client_name: `Name ${n}` } })),
  )
  const winners = answers.filter(({ status }) => status === 200)
  t.is(winners.length, 1)
  t.deepEqual([...new Set(answers.filter(({ status }) => status !== 200).map(({ status, body }) => `${status} ${body.error}`))], ['401 invalid_token'])
  const winner = winners[0]?.body as unknown as Registered & { readonly client_name: string }
  t.is((await send(uri, { token: winner.registration_access_token })).body.client_name, winner.client_name)
})

for (const [grantType, needed] of [
  [jwtBearer, {}],
  [cibaGrant, { backchannel_token_delivery_mode: 'poll' }],
] as const)
  test(`a client keeps what an administrator gave it when it changes its registration, and takes none by itself (${grantType})`, async t => {
    const { jwks } = await makeKey()
    const more = { jwks, ...needed }
    const { registered } = await register(more)
    const { client_id, registration_client_uri: uri, registration_access_token: token } = registered
    const given = [...metadata.grant_types, grantType]
    const put = (token: string, grant_types: readonly string[]) => send(uri, { method: 'PUT', token, body: { ...metadata, ...more, client_id, grant_types } })
    t.is((await put(token, given)).body.error, 'invalid_client_metadata')
    t.is((await send(uri, { token })).status, 200, 'what was refused cost nothing')
    await server.services.clientAdministration.update(systemActor, { id: client_id }, { grantTypes: given, metadata: more })
    const kept = await put(token, given)
    t.deepEqual([kept.status, kept.body.grant_types], [200, given])
    const next = (answer: { body: Metadata }) => String(answer.body.registration_access_token)
    t.is((await send(uri, { token: next(kept) })).status, 200)
    const left = await put(next(kept), metadata.grant_types)
    t.is(left.status, 200)
    t.is((await put(next(left), given)).body.error, 'invalid_client_metadata')
  })

test('a secret is given once, and nothing that stands in for it is ever shown', async t => {
  const { registered } = await register()
  t.regex(registered.client_secret ?? '', /^[\w-]{40,}$/)
  const standIn = server.resources.secrets.digest('client-stand-in', registered.client_id).toString('base64url')
  const read = await send(registered.registration_client_uri, { token: registered.registration_access_token })
  const body = { ...metadata, client_id: registered.client_id }
  const changed = await send(registered.registration_client_uri, { method: 'PUT', token: registered.registration_access_token, body })
  for (const answer of [read, changed]) {
    t.false('client_secret' in answer.body)
    t.false(JSON.stringify(answer.body).includes(standIn))
  }
})

test('a client that turns to a method with a secret is given one that opens', async t => {
  const { registered } = await register({ token_endpoint_auth_method: 'none' })
  t.is(registered.client_secret, undefined)
  const body = { ...metadata, client_id: registered.client_id, token_endpoint_auth_method: 'client_secret_basic' }
  const changed = await send(registered.registration_client_uri, { method: 'PUT', token: registered.registration_access_token, body })
  t.is(changed.status, 200)
  const { configuration } = await createRelyingParty(server.issuer, { clientId: registered.client_id, secret: String(changed.body.client_secret) })
  t.false((await client.tokenIntrospection(configuration, 'no-such-token')).active)
})

test('a secret that a client gave up opens nothing any more, also when an administrator gives it a method with one again', async t => {
  const secretly = { token_endpoint_auth_method: 'client_secret_basic' }
  const { registered } = await register(secretly)
  const { client_id: clientId, client_secret: secret = '', registration_client_uri: uri, registration_access_token: token } = registered
  const isRight = () => server.services.clients.verifySecret(clientId, secret)
  t.true(await isRight())
  const changed = await send(uri, { method: 'PUT', token, body: { ...metadata, client_id: clientId, token_endpoint_auth_method: 'none' } })
  t.is(changed.status, 200)
  const { secrets } = await server.services.clientAdministration.update(systemActor, { id: clientId }, { authenticationMethod: 'client_secret_basic' })
  t.deepEqual(secrets, [])
  t.false(await isRight())
})

test('the token of one client opens no other', async t => {
  const [one, two] = await Promise.all([register(), register()])
  t.is((await send(two.registered.registration_client_uri, { token: one.registered.registration_access_token })).status, 401)
  t.is((await send(`${server.issuer}/oauth2/register/acme-portal-001`, { token: two.registered.registration_access_token })).status, 401)
})

test('a wrong redirect URI is told what is wrong with it (RFC 7591 §3.2.2)', async t => {
  const rows: readonly (readonly [uri: unknown, word: string, type?: string])[] = [
    ['nowhere', 'absolute'],
    ['https://shop.example/#here', 'fragment'],
    ['https://*.shop.example/', 'wildcard'],
    ['https://shop.example@evil.example/', 'user information'],
    [`https://shop.example/${'x'.repeat(2048)}`, '2048'],
    [5, 'text'],
    ['http://shop.example/', 'https'],
    ['com.example.shop:/callback', 'private-use scheme'],
    ['http://shop.example/', 'private-use scheme', 'native'],
    ['javascript:alert(1)', 'scheme', 'native'],
  ]
  for (const [uri, word, type] of rows) {
    const { status, body } = await register({ redirect_uris: [redirectUri, uri], application_type: type })
    t.deepEqual([status, body.error], [400, 'invalid_redirect_uri'], String(uri))
    t.true(String(body.error_description).startsWith('redirect_uris') && String(body.error_description).includes(word), String(body.error_description))
  }
  t.is((await register({ redirect_uris: ['com.example.shop:/callback'], application_type: 'native' })).status, 201)
})

test('an address of the client’s server is https and without a fragment (OpenID Connect Registration §2, Back-Channel Logout §2.2)', async t => {
  const { registered } = await register()
  for (const wrong of [
    { jwks_uri: 'http://keys.example/' },
    { jwks_uri: 'https://keys.example/#one' },
    { backchannel_logout_uri: 'http://shop.example/logout' },
    { backchannel_logout_uri: 'http://shop.example/logout', token_endpoint_auth_method: 'none' },
    { backchannel_logout_uri: 'https://shop.example/logout#here' },
    { initiate_login_uri: 'http://shop.example/login' },
  ]) {
    const [name = ''] = Object.keys(wrong)
    const own = { ...metadata, ...wrong, client_id: registered.client_id }
    const changed = await send(registered.registration_client_uri, { method: 'PUT', token: registered.registration_access_token, body: own })
    for (const { status, body } of [await register(wrong), changed]) {
      t.deepEqual([status, body.error], [400, 'invalid_client_metadata'], JSON.stringify(wrong))
      t.true(String(body.error_description).startsWith(name), String(body.error_description))
    }
  }
  t.is((await register({ backchannel_logout_uri: 'http://localhost:4000/logout' })).status, 201)
})

test('keys that stand in the registration are enough for what is to be encrypted', async t => {
  for (const keys of [[], [{ kty: 'EC', crv: 'P-256', use: 'enc', x: 'x', y: 'y' }]]) {
    const { status, body } = await register({ id_token_encrypted_response_alg: 'RSA-OAEP-256', jwks: { keys } })
    t.deepEqual([status, body.error], [400, 'invalid_client_metadata'])
    t.true(String(body.error_description).startsWith('jwks must have a key for RSA-OAEP-256'), String(body.error_description))
  }
})

test('an update leaves a client all the secrets that it signs by', async t => {
  const { registered } = await register({
    token_endpoint_auth_method: 'client_secret_jwt',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })
  const { client_id: clientId, client_secret: first = '' } = registered
  const { id } = await server.resources.database.prisma.client.findUniqueOrThrow({ where: { clientId } })
  const { secret: second } = await server.services.clientAdministration.addSecret(systemActor, { id }, {})
  const url = registered.registration_client_uri
  const { body } = await send(url, { token: registered.registration_access_token })
  const { registration_access_token: _token, registration_client_uri: _uri, client_secret_expires_at: _at, client_id_issued_at: _issued, ...own } = body
  t.is((await send(url, { method: 'PUT', token: registered.registration_access_token, body: { ...own, client_name: 'Another' } })).status, 200)
  for (const secret of [first, second]) {
    const { configuration } = await createRelyingParty(server.issuer, { clientId, auth: client.ClientSecretJwt(secret) })
    t.truthy((await client.clientCredentialsGrant(configuration)).access_token)
  }
})

test('a member that is null is one that is left out (RFC 7592 §2.2)', async t => {
  const { status, body, registered } = await register({ client_name: null, token_endpoint_auth_method: null, contacts: null })
  t.is(status, 201)
  t.false('client_name' in body)
  t.is(body.token_endpoint_auth_method, 'client_secret_basic')
  t.truthy(registered.client_secret)
})

test('of a client without a name that was deleted long ago nothing is kept but its identifier', async t => {
  const { prisma } = server.resources.database
  const told = { contacts: ['ops@shop.example'] }
  for (const changed of [
    {},
    { redirect_uris: [], grant_types: ['client_credentials'], response_types: [], token_endpoint_auth_method: 'client_secret_basic' },
  ]) {
    const { registered } = await register({ client_name: undefined, token_endpoint_auth_method: 'none', ...told, ...changed })
    const { client_id: clientId, registration_client_uri: uri, registration_access_token: token } = registered
    t.is((await send(uri, { method: 'DELETE', token })).status, 204)
    await prisma.client.update({ where: { clientId }, data: { deletedAt: new Date(Date.now() - 40 * 86_400_000) } })
    await server.services.clientAdministration.purge(systemActor, 100)
    const row = await prisma.client.findUniqueOrThrow({ where: { clientId }, include: { secrets: true } })
    t.deepEqual([row.redirectUris, row.metadata, row.secrets], [[], {}, []])
  }
  t.is(await server.services.clientAdministration.purge(systemActor, 100), 0)
})

const bad: Readonly<Record<string, Metadata>> = {
  'an empty list of redirect URIs': { redirect_uris: [] },
  'a redirect URI that is none': { redirect_uris: ['nowhere'] },
  'a redirect URI with a fragment': { redirect_uris: ['https://shop.example/#here'] },
  'a redirect URI with a wildcard': { redirect_uris: ['https://*.shop.example/'] },
  'a redirect URI with user information': { redirect_uris: ['https://shop.example@evil.example/'] },
  'a public client that asks for itself': { token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'client_credentials'] },
  'a script for a redirect URI': { redirect_uris: ['javascript:alert(1)'] },
  'a text that cannot be kept': { client_name: 'a\u0000b' },
  'such a text deep inside': { contacts: ['a@b.example', 'a\u0000b'] },
  'half a character': { client_name: 'a\ud800b' },
  'a number for a name': { client_name: 5 },
  'a response type that is switched off': { response_types: ['token'], grant_types: ['implicit'] },
  'an unknown method': { token_endpoint_auth_method: 'unknown' },
}
for (const [what, changed] of Object.entries(bad))
  test(`${what} is refused with 400 in the protocol’s words`, async t => {
    const { status, body } = await register(changed)
    t.is(status, 400)
    t.true(['invalid_client_metadata', 'invalid_redirect_uri', 'invalid_request'].includes(String(body.error)), String(body.error))
  })

test('a body that is no JSON object is refused', async t => {
  for (const body of ['{', '[]', 'null', '"text"', '5']) {
    const { status, body: told } = await send(`${server.issuer}/oauth2/register`, { method: 'POST', token: await makeInitialAccessToken(), body })
    t.is(status, 400, body)
    t.is(told.error, 'invalid_request', body)
  }
})

test('a registered client is never taken for one of the operator’s own', async t => {
  const { registered } = await register({ first_party: true, isFirstParty: true, firstParty: true, require_pkce: false, organization_id: 'x' })
  const kept = await server.services.clients.find(registered.client_id)
  t.false(kept?.isFirstParty)
  t.true(kept?.isPkceRequired)
  t.is(kept?.organizationId, undefined)
})
