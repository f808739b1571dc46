// Clients that anybody registers: what they may be, how many, and what people are told of them (RFC 7591, as MCP clients do).
import { randomInt } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { purgeUnusedClients } from '../../src/clients/unused.ts'
import { createPerson } from '../support/person.ts'
import { shortKey } from '../support/protected-clients.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
})
test.after.always(() => server?.close())

type Metadata = Record<string, unknown>
interface Asked {
  readonly ip?: string
  readonly url?: string
  readonly method?: string
  readonly token?: string
  readonly headers?: Record<string, string>
}

const anAddress = () => `100.${randomInt(128)}.${randomInt(256)}.${randomInt(1, 255)}`
const publicClient = {
  client_name: 'A Helper',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
}
const send = async (
  body: Metadata | undefined,
  { ip = anAddress(), url = `${server.issuer}/oauth2/register`, method = 'POST', token, headers }: Asked = {},
) => {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', 'x-forwarded-for': ip, ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    body: body && JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: JSON.parse((await response.text()) || '{}') as Metadata & { client_id: string } }
}
const register = (changes: Metadata = {}, asked: Asked = {}) => send({ ...publicClient, ...changes }, asked)
const rowOf = (clientId: unknown) => server.resources.database.prisma.client.findUnique({ where: { clientId: String(clientId) } })

test('anybody registers a client, which people are told is not verified, and which refreshes', async t => {
  const { status, body } = await register({ first_party: true, api_permissions: ['users:read'], logo_uri: 'https://logos.example/a.png', scope: 'mcp:tools' })
  t.is(status, 201)
  t.is(body.logo_uri, undefined)
  t.is(body.client_secret, undefined)
  const row = await rowOf(body.client_id)
  t.like(row, { source: 'open', firstParty: false, apiPermissions: [], usedAt: null })
  const { configuration, request } = await createRelyingParty(server.issuer, { clientId: body.client_id, auth: client.None() })
  const made = await request()
  const person = createPerson()
  let page = await person.follow(await person.get(made.url), redirectUri)
  page = await person.follow(await person.submit(page, { username: bob.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: bob.password }), redirectUri)
  t.true(page.body.includes('Not verified'))
  const back = await person.follow(await person.submit(page, { decision: 'allow' }), redirectUri)
  const tokens = await client.authorizationCodeGrant(configuration, back.location as URL, made.checks)
  t.truthy((await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '')).access_token)
  t.truthy((await rowOf(body.client_id))?.usedAt)
})

interface Case {
  readonly what: string
  readonly changes: Metadata
  /** None: it is taken. */
  readonly error?: 'invalid_client_metadata' | 'invalid_redirect_uri' | 'unapproved_software_statement'
  /** What the refusal speaks of. */
  readonly says?: string
  /** What the answer says that was not asked so. */
  readonly told?: Metadata
}

// The policy, a row a rule.
const policy: readonly Case[] = [
  { what: 'a public client on the loopback', changes: {}, told: { application_type: 'native' } },
  { what: 'a public client of a web site', changes: { redirect_uris: ['https://app.example/cb'] }, told: { application_type: 'web' } },
  { what: 'a confidential web client', changes: { token_endpoint_auth_method: 'client_secret_basic', redirect_uris: ['https://app.example/cb'] } },
  { what: 'a method by default', changes: { token_endpoint_auth_method: undefined, redirect_uris: ['https://app.example/cb'] } },
  { what: 'IPv6 on the loopback', changes: { redirect_uris: ['http://[::1]:3000/cb'] }, told: { application_type: 'native' } },
  { what: 'scopes of resources, which are left out', changes: { scope: 'anything at all' }, told: { scope: undefined } },
  { what: 'an application type of its own', changes: { application_type: 'web' }, told: { application_type: 'web' } },
  {
    what: 'client credentials',
    changes: { grant_types: ['authorization_code', 'client_credentials'], token_endpoint_auth_method: 'client_secret_basic' },
    error: 'invalid_client_metadata',
  },
  {
    what: 'client credentials alone',
    changes: { grant_types: ['client_credentials'], response_types: [], token_endpoint_auth_method: 'client_secret_basic' },
    error: 'invalid_client_metadata',
  },
  {
    what: 'the device grant',
    changes: { grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] },
    error: 'invalid_client_metadata',
  },
  { what: 'no code grant', changes: { grant_types: ['refresh_token'] }, error: 'invalid_client_metadata' },
  { what: 'grant types that are no list', changes: { grant_types: 'authorization_code' }, error: 'invalid_client_metadata' },
  { what: 'a secret that signs', changes: { token_endpoint_auth_method: 'client_secret_jwt' }, error: 'invalid_client_metadata' },
  { what: 'http elsewhere', changes: { redirect_uris: ['http://app.example/cb'] }, error: 'invalid_redirect_uri', says: 'https' },
  { what: 'a scheme of its own', changes: { redirect_uris: ['helper://cb'] }, error: 'invalid_redirect_uri' },
  { what: 'a path', changes: { redirect_uris: [redirectUri, '/cb'] }, error: 'invalid_redirect_uri', says: 'redirect_uris[1] must be an absolute URI' },
  { what: 'a number for an address', changes: { redirect_uris: [5] }, error: 'invalid_redirect_uri', says: 'text' },
  { what: 'a very long address', changes: { redirect_uris: [`https://app.example/${'x'.repeat(2048)}`] }, error: 'invalid_redirect_uri', says: '2048' },
  { what: 'a script', changes: { redirect_uris: ['javascript:alert(1)'] }, error: 'invalid_redirect_uri' },
  { what: 'a name that begins like the loopback', changes: { redirect_uris: ['http://localhost.evil.example/cb'] }, error: 'invalid_redirect_uri' },
  {
    what: 'the loopback as user information',
    changes: { redirect_uris: ['http://localhost@evil.example/cb'] },
    error: 'invalid_redirect_uri',
    says: 'user information',
  },
  { what: 'a wildcard', changes: { redirect_uris: ['https://*.app.example/cb'] }, error: 'invalid_redirect_uri', says: 'wildcard' },
  { what: 'an address without its slashes', changes: { redirect_uris: ['https:app.example/cb'] }, error: 'invalid_redirect_uri', says: 'absolute' },
  { what: 'an address of backslashes', changes: { redirect_uris: ['https:\\\\app.example/cb'] }, error: 'invalid_redirect_uri' },
  { what: 'an address of two lines', changes: { redirect_uris: ['https://app.example/c\nb'] }, error: 'invalid_redirect_uri' },
  { what: 'a fragment', changes: { redirect_uris: ['https://app.example/cb#x'] }, error: 'invalid_redirect_uri', says: 'fragment' },
  { what: 'no redirect URI', changes: { redirect_uris: undefined }, error: 'invalid_redirect_uri', says: '1 to 10' },
  { what: 'eleven redirect URIs', changes: { redirect_uris: Array.from({ length: 11 }, (_, n) => `https://app.example/${n}`) }, error: 'invalid_redirect_uri' },
  {
    what: 'http for after signing out',
    changes: { post_logout_redirect_uris: ['http://app.example/'] },
    error: 'invalid_redirect_uri',
    says: 'post_logout_redirect_uris[0] must be https',
  },
  { what: 'keys at an address', changes: { jwks_uri: 'https://app.example/jwks' }, error: 'invalid_client_metadata' },
  { what: 'a sector at an address', changes: { sector_identifier_uri: 'https://app.example/sector' }, error: 'invalid_client_metadata' },
  { what: 'an address that is told of sign-outs', changes: { backchannel_logout_uri: 'https://app.example/logout' }, error: 'invalid_client_metadata' },
  { what: 'a name that is null, which is none', changes: { client_name: null, tos_uri: null }, told: { client_name: undefined } },
  { what: 'a number for a name', changes: { client_name: 5 }, error: 'invalid_client_metadata', says: 'client_name must be text' },
  ...['Authy2', ' AUTHY 2 ', 'Аuthу2', 'Ａｕｔｈｙ２', 'Authy2 Security'].map(client_name => ({
    what: `the service’s own name, as «${client_name}»`,
    changes: { client_name },
    error: 'invalid_client_metadata' as const,
    says: 'client_name',
  })),
  { what: 'a name that is not the service’s', changes: { client_name: 'Author 2' } },
  ...['\u200b\u2060', '\u3164', '\u115f\u1160', '\uffa0', '\u2800 \u2800', '\u034f\ufe0f'].map(client_name => ({
    what: `a name of which nothing is seen, as ${JSON.stringify(client_name)}`,
    changes: { client_name },
    error: 'invalid_client_metadata' as const,
    says: 'client_name',
  })),
  { what: 'the service’s own name in letters of Lisu', changes: { client_name: 'ꓮꓴꓔꓧꓬ2' }, error: 'invalid_client_metadata', says: 'client_name' },
  {
    what: 'a key of RSA that is too short (RFC 7518 §3.3)',
    changes: { token_endpoint_auth_method: 'private_key_jwt', redirect_uris: ['https://app.example/cb'], jwks: { keys: [shortKey] } },
    error: 'invalid_client_metadata',
    says: 'jwks',
  },
  { what: 'a very long name', changes: { client_name: 'x'.repeat(101) }, error: 'invalid_client_metadata' },
  { what: 'a name of two lines', changes: { client_name: 'A\nB' }, error: 'invalid_client_metadata' },
  { what: 'very much', changes: { contacts: Array.from({ length: 400 }, (_, n) => `someone.${n}@app.example`) }, error: 'invalid_client_metadata' },
  { what: 'a software statement', changes: { software_statement: 'eyJhbGciOiJub25lIn0.e30.' }, error: 'unapproved_software_statement' },
]
for (const { what, changes, error, says, told = {} } of policy)
  test(`who brings no token ${error ? 'cannot have' : 'may have'} ${what}`, async t => {
    const { status, body } = await register(changes)
    t.is(status, error ? 400 : 201, JSON.stringify(body))
    t.is(body.error, error)
    if (says !== undefined) t.true(String(body.error_description).includes(says), String(body.error_description))
    for (const [name, value] of Object.entries(told)) t.is(body[name], value, name)
  })

test('nobody comes back to an address of this service, at registration or by a port of the loopback', async t => {
  for (const changes of [{ redirect_uris: [`${server.issuer}/account`] }, { redirect_uris: [redirectUri], post_logout_redirect_uris: [`${server.issuer}/`] }])
    t.is((await register(changes)).body.error, 'invalid_redirect_uri')
  const issuer = new URL(server.issuer)
  const { status, body } = await register({ redirect_uris: [`http://${issuer.hostname}:1/account`] })
  t.is(status, 201)
  const challenge = `code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`
  const ask = (uri: string) =>
    fetch(
      `${issuer.origin}/oauth2/authorize?client_id=${body.client_id}&response_type=code&scope=openid&${challenge}&redirect_uri=${encodeURIComponent(uri)}`,
      {
        redirect: 'manual',
      },
    )
  t.is((await ask(`http://${issuer.hostname}:2/account`)).status, 303)
  t.is((await ask(`${issuer.origin}/account`)).status, 400)
})

test('a change of the registration keeps to the same rules', async t => {
  const { body } = await register()
  const asked = { method: 'PUT', url: String(body.registration_client_uri), token: String(body.registration_access_token) }
  const change = (changes: Metadata) => send({ ...publicClient, client_id: body.client_id, ...changes }, asked)
  t.is((await change({ grant_types: ['client_credentials'] })).body.error, 'invalid_client_metadata')
  t.is((await change({ redirect_uris: ['http://evil.example/'] })).body.error, 'invalid_redirect_uri')
  t.is((await change({ client_name: 'authy2' })).body.error, 'invalid_client_metadata')
  t.is((await change({ software_statement: 'x' })).body.error, 'unapproved_software_statement')
  const changed = await change({ client_name: 'Renamed' })
  t.is(changed.body.client_name, 'Renamed')
  t.is(changed.body.application_type, 'native')
  t.is((await rowOf(body.client_id))?.source, 'open')
  const next = await send(
    { ...publicClient, client_id: body.client_id, jwks_uri: 'https://a.example/' },
    { ...asked, token: String(changed.body.registration_access_token) },
  )
  t.is(next.body.error, 'invalid_client_metadata')
})

test('an initial access token lifts the bounds, and a wrong one opens nothing', async t => {
  const token = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const service = { grant_types: ['client_credentials'], response_types: [], token_endpoint_auth_method: 'client_secret_basic', redirect_uris: [] }
  const { status, body } = await register(service, { token })
  t.is(status, 201)
  t.is((await rowOf(body.client_id))?.source, 'token')
  t.is((await register(service, { token: 'no-such-token' })).status, 401)
  t.is((await register({}, { token: 'no-such-token' })).status, 401)
  t.is((await register(service, { token: 'nobody' })).status, 400)
  t.is((await register({}, { token })).body.application_type, 'native')
})

test('the eleventh client of an address within an hour is refused, and told when to come again', async t => {
  const ip = anAddress()
  for (let number = 0; number < 10; number += 1) t.is((await register({}, { ip })).status, 201)
  const { status, headers, body } = await register({}, { ip })
  t.is(status, 429)
  t.is(body.error, 'temporarily_unavailable')
  t.true(Number(headers.get('retry-after')) > 0)
  t.is((await register()).status, 201)
})

test('who changes such a client sixty times within an hour is told when to come again', async t => {
  const ip = anAddress()
  let { body } = await register({}, { ip })
  const change = () =>
    send(
      { ...publicClient, client_id: body.client_id },
      { method: 'PUT', ip, url: String(body.registration_client_uri), token: String(body.registration_access_token) },
    )
  for (let number = 0; number < 60; number += 1) {
    const changed = await change()
    t.is(changed.status, 200)
    body = changed.body
  }
  const { status, headers } = await change()
  t.is(status, 429)
  t.true(Number(headers.get('retry-after')) > 0)
})

test.serial('while as many clients were never used as may be, one more is told to come again', async t => {
  const { pool, prisma } = server.resources.database
  await pool.query(
    `INSERT INTO clients (id, client_id, name, source, token_endpoint_auth_method, updated_at)
     SELECT gen_random_uuid(), 'many-' || number, '', 'open', 'none', now() FROM generate_series(1, 1000) number`,
  )
  const { status, headers, body } = await register()
  await prisma.client.deleteMany({ where: { clientId: { startsWith: 'many-' } } })
  t.is(status, 503)
  t.is(body.error, 'temporarily_unavailable')
  t.is(headers.get('retry-after'), '600')
  t.is((await register()).status, 201)
})

test('clients that nobody used are forgotten after a week, others are not', async t => {
  const [old, young] = [await register(), await register()]
  const token = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const vouched = await register({}, { token })
  const { prisma } = server.resources.database
  const createdAt = new Date(Date.now() - 8 * 86_400_000)
  await prisma.client.updateMany({ where: { clientId: { in: [old.body.client_id, vouched.body.client_id] } }, data: { createdAt } })
  await purgeUnusedClients(server.resources.database, 100)
  t.deepEqual([await rowOf(old.body.client_id), Boolean(await rowOf(young.body.client_id)), Boolean(await rowOf(vouched.body.client_id))], [null, true, true])
})

test('pages of any origin may register, without cookies', async t => {
  const origin = { origin: 'https://inspector.example' }
  const preflight = await send(undefined, {
    method: 'OPTIONS',
    headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,mcp-protocol-version' },
  })
  t.is(preflight.status, 204)
  t.is(preflight.headers.get('access-control-allow-origin'), '*')
  t.regex(preflight.headers.get('access-control-allow-headers') ?? '', /MCP-Protocol-Version/i)
  const made = await register({}, { headers: origin })
  t.is(made.headers.get('access-control-allow-origin'), '*')
  t.is(made.headers.get('access-control-allow-credentials'), null)
})

const answers: readonly (readonly [registered: string, asked: string, isTaken: boolean])[] = [
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/cb', true],
  ['http://127.0.0.1:3000/cb', 'http://127.0.0.1:51234/cb', true],
  ['http://127.0.0.1:3000/cb', 'http://127.0.0.1/cb', true],
  ['http://[::1]/cb', 'http://[::1]:51234/cb', true],
  ['http://localhost/cb', 'http://localhost:51234/cb', true],
  ['http://localhost/cb?from=app', 'http://localhost:51234/cb?from=app', true],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/other', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/cb/', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/cb?x=1', false],
  ['http://127.0.0.1/cb', 'http://localhost:51234/cb', false],
  ['http://localhost/cb', 'http://127.0.0.1:51234/cb', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.2:51234/cb', false],
  ['http://127.0.0.1/cb', 'https://127.0.0.1:51234/cb', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234@evil.example/cb', false],
  ['http://127.0.0.1/cb', 'http://x@127.0.0.1:51234/cb', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1.evil.example:51234/cb', false],
  ['http://localhost/cb', 'http://localhost.evil.example:51234/cb', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/../cb', false],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:port/cb', false],
  ['http://127.0.0.1/cb', 'http://0x7f.1:51234/cb', false],
  ['https://app.example/cb', 'https://app.example:8443/cb', false],
]
test('an app on somebody’s machine comes back to any port of the loopback it registered, and nowhere else', async t => {
  const known = new Map<string, string>()
  for (const [registered, asked, isTaken] of answers) {
    if (!known.has(registered)) known.set(registered, (await register({ redirect_uris: [registered] })).body.client_id)
    const url = new URL(`${server.issuer}/oauth2/authorize`)
    const code_challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier())
    const parameters = {
      client_id: known.get(registered) ?? '',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: asked,
      code_challenge,
      code_challenge_method: 'S256',
    }
    url.search = new URLSearchParams(parameters).toString()
    const answer = await createPerson().get(url)
    t.is(answer.status, isTaken ? 303 : 400, `${registered} ${asked}`)
    if (!isTaken) t.true(answer.body.includes('invalid_redirect_uri'))
  }
})

test('a single-page app that says it is one, and a confidential client, come back to their own port alone', async t => {
  for (const changes of [{ application_type: 'web' }, { token_endpoint_auth_method: 'client_secret_basic', application_type: 'web' }]) {
    const { body } = await register({ redirect_uris: ['http://127.0.0.1:3000/cb'], ...changes })
    const url = new URL(`${server.issuer}/oauth2/authorize`)
    const parameters = {
      client_id: body.client_id,
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1:3001/cb',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }
    url.search = new URLSearchParams(parameters).toString()
    t.is((await createPerson().get(url)).status, 400)
  }
})

test('where registration is off nothing tells of it; where it needs a token nobody goes without', async t => {
  const off = await startServer({ settings: { CLIENT_REGISTRATION: 'off', CLIENT_ID_METADATA_DOCUMENTS: 'false' } })
  t.teardown(() => off.close())
  const metadata = (await (await fetch(`${off.issuer}/.well-known/oauth-authorization-server`)).json()) as Metadata
  t.false('registration_endpoint' in metadata)
  t.false('client_id_metadata_document_supported' in metadata)
  t.is((await send(publicClient, { url: `${off.issuer}/oauth2/register` })).status, 404)
})
