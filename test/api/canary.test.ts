// Secrets are told once, to whom they belong: none stands in the log, in metrics, in traces, in the database, in Redis or in another answer.
import { randomBytes, randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { recordAnswers } from '../support/answers.ts'
import { basic, type Call, createCalls } from '../support/calls.ts'
import { captureLog, foundIn, plant, verifySilence } from '../support/canaries.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { startCollector } from '../support/collector.ts'
import { dumpDatabase, dumpRedis } from '../support/dump.ts'
import { exchange, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { enrolTotp } from '../support/factors.ts'
import { linkToken, mailTo } from '../support/mails.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { unlistedSealed } from '../support/sealed.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const recorder = recordAnswers()
/** By what they are. */
const secrets = new Map<string, string>()
let server: TestServer
let collector: Awaited<ReturnType<typeof startCollector>>
let calls: ReturnType<typeof createCalls>
test.before(async () => {
  collector = await startCollector()
  server = await startServer({ settings: { API_REQUESTS_PER_MINUTE: '100000', ...collector.settings }, through: recorder.through })
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
  collector?.close()
})

const kept = (kind: string, secret: unknown): string => {
  if (typeof secret !== 'string' || secret === '') throw new Error(`no ${kind} was given`)
  secrets.set(kind, secret)
  return secret
}
const made = (kind: string) => kept(kind, `canary ${kind} ${randomBytes(12).toString('base64url')}`)
const ask = async (operation: string, { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {}) => {
  const [method, path] = operation.split(' ', 2)
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const text = typeof body === 'string' ? body : body && JSON.stringify(body)
  const sent = {
    method: method as Call['method'],
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body: text as string | undefined,
  }
  const { json, status } = await calls.call(`/api/v1${path}`, sent)
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there.
  return { status, data: json.data as any }
}

/** Everything of the management API that makes or takes a secret. Answers a token of an administrator. */
const administer = async () => {
  const [email, other] = [`${randomUUID()}@people.example`, `${randomUUID()}@people.example`]
  const first = made('password of a registration')
  const { data: person } = await ask('POST /auth/register', { body: { email, password: first, full_name: 'Ida Canary' } })
  await server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [person.id])
  const { data: signedIn } = await ask('POST /auth/login', { body: { email, password: first } })
  const old = kept('session token', signedIn.token)
  const second = made('changed password')
  await ask('POST /users/me/password', { token: old, body: { current_password: first, new_password: second } })
  await ask('POST /users/me/password', {
    token: old,
    body: { current_password: made('wrong current password'), new_password: made('password that is not taken') },
  })
  const token = kept('second session token', (await ask('POST /auth/login', { body: { email, password: second } })).data.token)
  kept('csrf token', (await ask('GET /auth/me', { token })).data.csrf_token)
  const { data: user } = await ask('POST /users', { token, body: { email: other, password: made('password of a made user') } })
  await ask(`POST /users/${user.id}/password`, { token, body: { password: made('assigned password') } })
  const { data: key } = await ask('POST /api-keys', { token, body: { name: 'key', permissions: ['users:read'] } })
  const { data: repeated } = await ask('POST /api-keys', {
    token,
    headers: { 'idempotency-key': randomUUID() },
    body: { name: 'again', permissions: ['users:read'] },
  })
  kept('API key of a repeatable request', repeated.key)
  const hook = { url: 'http://localhost:9/', events: ['*'] }
  const { data: told } = await ask('POST /webhooks', { token, body: hook })
  kept('secret of a webhook', told.secret)
  const rotate = `POST /webhooks/${told.webhook.id}/secret/rotate`
  kept('rotated secret of a webhook', (await ask(rotate, { token, headers: { 'idempotency-key': randomUUID() } })).data.secret)
  const redirect = { redirect_uris: [redirectUri] }
  const { data: app } = await ask('POST /clients', { token, body: { name: 'app', ...redirect } })
  kept('client secret', app.secret)
  kept('added client secret', (await ask(`POST /clients/${app.client.id}/secrets`, { token, body: {} })).data.secret)
  const jwt = { name: 'jwt', token_endpoint_auth_method: 'client_secret_jwt', ...redirect }
  kept('sealed client secret', (await ask('POST /clients', { token, body: jwt })).data.secret)
  const { data: organization } = await ask('POST /organizations', { token, body: { name: 'Canary' } })
  const { data: inside } = await ask(`POST /organizations/${organization.id}/clients`, { token, body: { name: 'in', ...redirect } })
  kept("secret of an organization's client", inside.secret)
  const github = () => ({ settings: { client_id: 'a' }, secrets: { client_secret: made('upstream client secret') } })
  const { data: connection } = await ask('POST /connections', { token, body: { connector: 'github', ...github() } })
  await ask(`PATCH /connections/${connection.id}`, { token, body: github() })
  await ask(`POST /connections/${connection.id}/test`, { token, body: {} })
  await ask('POST /connections', { token, body: { connector: 'github', ...github(), position: -1 } })
  await ask('POST /connections', { token, body: { connector: 'github', settings: {}, secrets: { client_secret: [made('upstream client secret in a list')] } } })
  await ask(`POST /organizations/${organization.id}/connections`, {
    token,
    headers: { 'idempotency-key': randomUUID() },
    body: { connector: 'github', ...github() },
  })
  for (const path of [
    '/webhooks',
    `/webhooks/${told.webhook.id}/deliveries`,
    '/connections',
    '/clients',
    '/api-keys',
    '/users',
    '/auth/sessions',
    '/audit-logs?limit=100',
    '/signing-keys',
  ])
    await ask(`GET ${path}`, { token })
  kept('API key', key.key)
  await ask(`DELETE /api-keys/${key.api_key.id}`, { token })
  await misplace(email)
}

/** Secrets where they do not belong. */
const misplace = async (email: string) => {
  const secret = (kind: string) => kept(kind, `Canary-${randomBytes(24).toString('base64url')}`)
  const misplaced = (prefix: string, kind: string) => kept(kind, prefix + randomBytes(32).toString('base64url'))
  await ask('POST /auth/login', { body: { email, password: made('wrong password') } })
  await ask('POST /auth/login', { body: { email: `${randomUUID()}@people.example`, password: made('password of nobody') } })
  await ask('GET /users', { token: misplaced('authy2_', 'wrong API key') })
  await ask('GET /users', { token: misplaced('authy2s_', 'wrong session token') })
  await ask('GET /users', { token: secret('wrong access token') })
  await ask('GET /users', { headers: { authorization: basic({ id: 'somebody', secret: secret('password in Basic') }) } })
  await ask('POST /auth/login', { body: `{"email":"a","password":"${made('password in broken JSON')}"` })
  await ask('POST /auth/login', { body: { email, password: made('password beside an unknown key'), more: made('value of an unknown key') } })
  await ask('POST /auth/login', { body: { email, password: [made('password in a list')] } })
  await ask('POST /auth/register', { body: { email: 'none', password: 'short', full_name: 'x', token: made('token at a registration') } })
  await ask('POST /auth/login', { headers: { 'content-type': 'text/plain' }, body: made('body of another type') })
  await ask(`GET /auth/me?access_token=${secret('token in a query')}`)
  await ask(`GET /users?password=${encodeURIComponent(made('password in a query'))}`)
  await ask(`GET /api-keys/${misplaced('authy2_', 'API key in a path')}`)
  await ask(`DELETE /auth/sessions/${misplaced('authy2s_', 'session token in a path')}`)
  await ask('GET /auth/me', { headers: { cookie: `session=${secret('wrong cookie')}; session.sig=${secret('wrong signature of a cookie')}` } })
}

const keepTokens = (kind: string, { access_token, refresh_token, id_token }: { access_token?: string; refresh_token?: string; id_token?: string }) => {
  for (const [name, value] of Object.entries({ access_token, refresh_token, id_token })) if (value !== undefined) kept(`${name} of ${kind}`, value)
}

/** Two factors, a password that is reset, a token that is exchanged. */
const recover = async () => {
  const email = `${randomUUID()}@people.example`
  const password = made('password before a reset')
  const { data: user } = await ask('POST /auth/register', { body: { email, password, full_name: 'Ida Canary' } })
  await ask('POST /auth/password/forgot', { body: { email } })
  const token = kept('token of a reset', linkToken(await mailTo(server, email, 'password')))
  const renewed = made('password of a reset')
  await ask('POST /auth/password/reset', { body: { token, password: renewed } })
  const { uri, code } = await enrolTotp(server, user)
  kept('seed of an authenticator', new URL(uri).searchParams.get('secret'))
  const { data: asked } = await ask('POST /auth/login', { body: { email, password: renewed } })
  const ticket = kept('ticket of a sign-in', asked.ticket)
  await ask('POST /auth/mfa', { body: { ticket, factor: 'totp', code: '000000' } })
  const { data: signedIn } = await ask('POST /auth/mfa', { body: { ticket, factor: 'totp', code: await code() } })
  kept('session token of two factors', signedIn.token)
  const resource = await makeResource(server)
  const exchanger = await makeExchanger(server, { audiences: [{ identifier: resource, scopes: ['read'] }] })
  kept('secret of an exchanger', exchanger.secret)
  const subject = await makeSubject(server, exchanger, { resource })
  kept('token that is exchanged', subject.token)
  kept('token of an exchange', (await exchange(server, exchanger, subject.token, { resource, scope: 'read' })).access_token)
}

/** Everything of the protocol that gives or takes a secret. */
const authorize = async () => {
  const email = `${randomUUID()}@people.example`
  const password = made('password at the pages')
  await ask('POST /auth/register', { body: { email, password, full_name: 'Ida Canary' } })
  const app = await makeClient(server, { secret: kept('secret at the token endpoint', randomBytes(32).toString('base64url')) })
  const person = createPerson()
  await wrongPasswordAtPages(app, email)
  const { back, tokens } = await app.signIn({ person, who: { email, password }, parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  kept('authorization code', back.searchParams.get('code'))
  keepTokens('a sign-in', tokens)
  // An interaction's id stands in its address; what proves it is the signature beside it.
  for (const { name, value } of person.cookies.values()) if (value.length >= 20 && !/^(interaction|resume)$/.test(name)) kept(`cookie ${name}`, value)
  if (tokens.refresh_token) keepTokens('a refresh', await client.refreshTokenGrant(app.configuration, tokens.refresh_token))
  await client.fetchUserInfo(app.configuration, tokens.access_token, client.skipSubjectCheck)
  await client.tokenIntrospection(app.configuration, tokens.access_token)
  await client.tokenRevocation(app.configuration, tokens.access_token)
  const wrong = { grant_type: 'refresh_token', refresh_token: made('wrong refresh token') }
  await calls.post('/oauth2/token', wrong, { authorization: basic({ id: app.clientId, secret: made('wrong client secret') }) })
  await calls.post('/oauth2/token', {
    grant_type: 'authorization_code',
    code: made('wrong code'),
    code_verifier: made('wrong verifier'),
    client_id: app.clientId,
    client_secret: made('posted client secret'),
  })
  await calls.call(`/oauth2/userinfo?access_token=${randomToken('access token in a query')}`)
  await calls.call(`/nowhere/${randomToken('token in a path')}`)
  await machines()
}

const randomToken = (kind: string) => kept(kind, randomBytes(32).toString('base64url'))

const wrongPasswordAtPages = async (app: TestClient, email: string) => {
  const stranger = createPerson()
  const page = await stranger.follow(await stranger.get((await app.request()).url), redirectUri)
  const asked = await stranger.follow(await stranger.submit(page, { username: email }), redirectUri)
  await stranger.submit(asked, { password: made('wrong password at the pages') })
}

const machines = async () => {
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
  const device = await makeClient(server, { authenticationMethod: 'none', grantTypes: [grantType] })
  kept('device code', (await client.initiateDeviceAuthorization(device.configuration, { scope: 'openid' })).device_code)
  const service = await makeClient(server, { grantTypes: ['client_credentials'] })
  keepTokens('a service', await client.clientCredentialsGrant(service.configuration))
  keepTokens('a service at the API', await client.clientCredentialsGrant(service.configuration, { resource: 'http://localhost:4000/api/es256', scope: 'read' }))
  const DPoP = client.getDPoPHandle(service.configuration, await client.randomDPoPKeyPair('ES256'))
  keepTokens('a bound service', await client.clientCredentialsGrant(service.configuration, {}, { DPoP }))
  const initial = kept('initial access token', await new (server.app.protocol.engine.current().InitialAccessToken)({}).save())
  const registration = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'client_secret_basic' }
  const headers = { authorization: `Bearer ${initial}`, 'content-type': 'application/json' }
  const { json } = await calls.call('/oauth2/register', { method: 'POST', headers, body: JSON.stringify(registration) })
  kept('registered client secret', json.client_secret)
  kept('registration access token', json.registration_access_token)
}

test('no secret of a journey through everything stands in the log, in metrics or traces, the database, Redis or a second answer', async t => {
  await administer()
  await authorize()
  await recover()
  t.true(secrets.size >= 40, String(secrets.size))
  const [tables, redis] = await Promise.all([dumpDatabase(server.resources), dumpRedis(server.resources)])
  const metrics = await fetch(`${server.issuer}/metrics`)
  await until(() => collector.text().includes('POST /oauth2/token'))
  const observed: [string, string][] = [
    ['log', server.logged()],
    ['metrics', await metrics.text()],
    ['traces', collector.text()],
  ]
  const places = new Map([...observed, ['Redis', redis], ...[...tables].map(([name, text]) => [`table ${name}`, text] as const)])
  const found: string[] = []
  for (const [kind, secret] of secrets) {
    for (const [place, text] of places) if (foundIn(text, [secret]).length > 0) found.push(`${kind} in ${place}`)
    const telling = recorder.answers.filter(({ text }) => foundIn(text, [secret]).length > 0)
    // A refresh within the second signs the same claims to the same ID token.
    const isToldAgain = kind.startsWith('id_token') && telling.every(({ url }) => url === 'POST /oauth2/token')
    if (telling.length > 1 && !isToldAgain) found.push(`${kind} in ${telling.map(({ url }) => url.replace(/\?.*/s, '')).join(', ')}`)
  }
  t.deepEqual(found, [])
  t.deepEqual(await unlistedSealed(server.resources), [], 'a sealed column is not in src/sealed-columns.ts')
  t.log(`${secrets.size} secrets, ${server.logged().length} bytes of log, ${tables.size} tables, ${recorder.answers.length} answers`)
})

test('a secret in a log is found in any form', t => {
  const secret = plant(`a secret of this test ${randomUUID()}`)
  const encodings = [secret, Buffer.from(`client:${secret}`).toString('base64'), Buffer.from(secret).toString('hex'), encodeURIComponent(secret)]
  for (const text of encodings) {
    const log = captureLog('silent')
    log.stream.write(`{"level":30,"msg":"${text}"}\n`)
    t.throws(log.verify, { message: /stands in the log/ }, text)
  }
  t.notThrows(() => verifySilence('{"level":30,"msg":"nothing"}'))
})
