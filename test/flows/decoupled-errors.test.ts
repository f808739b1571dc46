// What is refused where people answer on another device, by the sections that say so: backchannel authentication (OpenID Connect CIBA
// Core 1.0, RFC 6749, RFC 8707), devices (RFC 8628); and what only one of many may do.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { hashOf } from '../../src/platform/secrets.ts'
import { basic, type Calls, createCalls } from '../support/calls.ts'
import { answerAll, ask, cibaGrant, idsOn, makeTill, openRequests, redeem } from '../support/ciba.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let calls: Calls
let till: TestClient
let notified: TestClient
let other: TestClient
let user: Awaited<ReturnType<typeof makeUser>>
let device: TestClient
let otherDevice: TestClient
test.before(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  calls = createCalls(server.issuer)
  const scopes = ['pay']
  await server.services.resourceServerAdministration.create(systemActor, {
    identifier: resource,
    name: 'Payments',
    scopes,
    tokenFormat: 'jwt',
    signingAlgorithm: 'ES256',
    accessTokenTtlSeconds: 600,
    detailsTypes: [{ type: 'ciba_payment', title: 'Pay', schema: { type: 'object', properties: {} } }],
  })
  till = await makeTill(server, { metadata: { authorization_details_types: ['ciba_payment'] } })
  const endpoint = 'https://till.example/ping'
  notified = await makeTill(server, { metadata: { backchannel_token_delivery_mode: 'ping', backchannel_client_notification_endpoint: endpoint } })
  other = await makeTill(server)
  user = await makeUser(server)
  device = await makeClient(server, { grantTypes: [grantType, 'refresh_token'] })
  otherDevice = await makeClient(server, { grantTypes: [grantType] })
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const resource = 'https://ciba-errors.example/api'

const at = (one: TestClient, form: Record<string, string>) =>
  calls.post('/oauth2/backchannel-authentication', form, { authorization: basic({ id: one.clientId, secret: one.secret }) })
const token = (one: TestClient, form: Record<string, string>) =>
  calls.post('/oauth2/token', { grant_type: cibaGrant, ...form }, { authorization: basic({ id: one.clientId, secret: one.secret }) })

/** What is asked wrongly: section, what is wrong, what is sent beside or instead of a good request, and the code of the refusal. */
const refused: readonly (readonly [section: string, what: string, sent: Record<string, string | undefined>, error: string])[] = [
  ['§7.1', 'without a scope', { scope: undefined }, 'invalid_request'],
  ['§7.1', 'without openid', { scope: 'email' }, 'invalid_request'],
  ['§7.1', 'with a scope of characters that no scope has', { scope: 'openid "x"' }, 'invalid_scope'],
  ['§7.1', 'for nobody', { login_hint: undefined }, 'invalid_request'],
  ['§7.1', 'by two hints', { id_token_hint: 'x.y.z' }, 'invalid_request'],
  ['§7.1', 'by a hint that is no address', { login_hint: 'bob' }, 'invalid_request'],
  ['§7.1', 'by an address with a line end in it', { login_hint: 'bob@acme.example\r\nbcc: x@y.example' }, 'invalid_request'],
  ['§7.1', 'by a login hint token, which we do not take', { login_hint: undefined, login_hint_token: 'e30.e30.' }, 'invalid_request'],
  ['§7.1', 'by an ID token that is none', { login_hint: undefined, id_token_hint: 'nothing' }, 'invalid_request'],
  ['§7.1', 'with an expiry that is no number', { requested_expiry: 'soon' }, 'invalid_request'],
  ['§7.1', 'with an expiry of nothing', { requested_expiry: '0' }, 'invalid_request'],
  ['§7.1', 'with an expiry in the past', { requested_expiry: '-1' }, 'invalid_request'],
  ['§7.1', 'with an expiry of half seconds', { requested_expiry: '1.5' }, 'invalid_request'],
  ['§13', 'with a message of nothing but spaces', { binding_message: ' ' }, 'invalid_binding_message'],
  ['§13', 'with a message that is too long', { binding_message: 'x'.repeat(101) }, 'invalid_binding_message'],
  ['§13', 'with a message of two lines', { binding_message: 'one\ntwo' }, 'invalid_binding_message'],
  ['§13', 'with a message that holds U+0000', { binding_message: 'a\u0000b' }, 'invalid_binding_message'],
  ['§13', 'with a message that turns its direction', { binding_message: 'pay \u202e021' }, 'invalid_binding_message'],
  ['§13', 'with a message that isolates its direction', { binding_message: 'pay \u2066021' }, 'invalid_binding_message'],
  ['§13', 'with a message that hides something', { binding_message: 'pay\u200b 12' }, 'invalid_binding_message'],
  ['FAPI-CIBA §5.2.2', 'with a context that is no object', { request_context: '[1]' }, 'invalid_request'],
  ['FAPI-CIBA §5.2.2', 'with a context that is too large', { request_context: JSON.stringify({ a: 'x'.repeat(5000) }) }, 'invalid_request'],
  ['OpenID Connect Core §5.5', 'with claims that are no JSON', { claims: '{' }, 'invalid_request'],
  ['OpenID Connect Core §5.5.1', 'for a subject by a claim', { claims: JSON.stringify({ id_token: { sub: { value: 'x' } } }) }, 'invalid_request'],
  [
    'OpenID Connect Core §5.5.1.1',
    'with an essential class that nobody can give',
    { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:elsewhere' } } }) },
    'unmet_authentication_requirements',
  ],
  [
    'OpenID Connect Core §5.5.1',
    'with an essential class in a form that says nothing',
    { claims: JSON.stringify({ id_token: { acr: { essential: true, values: 'urn:authy2:acr:2' } } }) },
    'invalid_request',
  ],
  ['RFC 8707 §2', 'for a resource that is not there', { resource: 'https://nowhere.example/' }, 'invalid_target'],
  ['RFC 8707 §2.1', 'for scopes that the resource has none of', { resource, scope: 'openid steal' }, 'invalid_scope'],
  ['RFC 8707 §2', 'for a resource that is no address', { resource: 'payments' }, 'invalid_target'],
  [
    'RFC 9396 §5',
    'with authorization details, which nobody would be shown',
    { authorization_details: '[{"type":"ciba_payment"}]' },
    'invalid_authorization_details',
  ],
  ['§7.1', 'for an organization by its name, which tokens would not be for', { organization: 'acme' }, 'invalid_request'],
  ['§7.1', 'for any organization, which tokens would not be for', { scope: 'openid organization' }, 'invalid_scope'],
  ['RFC 9101 §6.2', 'with a request object that nobody signed', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request'],
  ['RFC 9101 §5.2', 'with a request elsewhere', { request_uri: 'https://till.example/request' }, 'request_uri_not_supported'],
]

for (const [section, what, sent, error] of refused)
  test.serial(`${section}: a request ${what} is ${error}`, async t => {
    const form = Object.entries({ scope: 'openid', login_hint: user.email, ...sent }).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const { status, json } = await at(till, Object.fromEntries(form))
    t.is(status, 400, JSON.stringify(json))
    t.is(json.error, error)
    t.is(await server.resources.database.prisma.backchannelRequest.count({ where: { accountId: user.id } }), 0)
  })

const notifications: readonly (readonly [what: string, token: string | undefined])[] = [
  ['without a token for its notification', undefined],
  ['with a token that no header can carry', 'a token with spaces'],
  ['with a token of more than 1024 characters', 'x'.repeat(1025)],
]
for (const [what, given] of notifications)
  test.serial(`§7.1: a request ${what} is invalid_request where the client is to be notified`, async t => {
    const { status, json } = await at(notified, {
      scope: 'openid',
      login_hint: user.email,
      ...(given === undefined ? {} : { client_notification_token: given }),
    })
    t.deepEqual([status, json.error], [400, 'invalid_request'])
  })

test.serial('§7: who is not who they say, or is not registered for it, asks nobody', async t => {
  const form = { scope: 'openid', login_hint: user.email }
  const wrong = await calls.post('/oauth2/backchannel-authentication', form, { authorization: basic({ id: till.clientId, secret: 'wrong' }) })
  t.deepEqual([wrong.status, wrong.json.error], [401, 'invalid_client'])
  const nobody = await calls.post('/oauth2/backchannel-authentication', form)
  t.deepEqual([nobody.status, nobody.json.error], [401, 'invalid_client'])
  const portal = await makeClient(server)
  const unregistered = await at(portal, form)
  t.deepEqual([unregistered.status, unregistered.json.error], [400, 'unauthorized_client'])
  t.is((await calls.call('/oauth2/backchannel-authentication')).status, 405)
})

test.serial('§11: answers to polls are refused by the section’s own codes', async t => {
  const person = await makeUser(server)
  const asked = await ask(till, { login_hint: person.email })
  const rows: readonly (readonly [what: string, work: Promise<{ status: number; json: Record<string, unknown> }>, status: number, error: string])[] = [
    ['no id', token(till, {}), 400, 'invalid_request'],
    ['an id that is none', token(till, { auth_req_id: 'nothing' }), 400, 'invalid_grant'],
    ['another client’s id', token(other, { auth_req_id: asked.auth_req_id }), 400, 'invalid_grant'],
    ['a client that may not', token(await makeClient(server), { auth_req_id: asked.auth_req_id }), 400, 'unauthorized_client'],
    ['the right one', token(till, { auth_req_id: asked.auth_req_id }), 400, 'authorization_pending'],
  ]
  for (const [what, work, status, error] of rows) {
    const { status: told, json } = await work
    t.deepEqual([told, json.error], [status, error], what)
  }
  await answerAll(server, person, 'deny')
  const denied = await token(till, { auth_req_id: asked.auth_req_id })
  t.deepEqual([denied.status, denied.json.error], [400, 'access_denied'])
  const again = await token(till, { auth_req_id: asked.auth_req_id })
  t.deepEqual([again.status, again.json.error], [400, 'invalid_grant'])
})

test.serial('§11: who polls before the interval is over is slowed down, each time by five seconds more, and still has the tokens at once', async t => {
  const person = await makeUser(server)
  const asked = await ask(till, { login_hint: person.email })
  const key = hashOf('poll', `${cibaGrant}\0${asked.auth_req_id}`)
  const seconds = async () => (await server.resources.database.prisma.oidcPoll.findUnique({ where: { key: new Uint8Array(key) } }))?.intervalSeconds
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')
  for (const expected of [10, 15, 20]) {
    t.is(await refusal(redeem(till, asked)), 'slow_down')
    t.is(await seconds(), expected)
  }
  await server.resources.database.pool.query(`UPDATE oidc_polls SET polled_at = now() - interval '21 seconds' WHERE key = $1`, [key])
  t.is(await refusal(redeem(till, asked)), 'authorization_pending')
  await answerAll(server, person, 'approve')
  t.truthy((await redeem(till, asked)).access_token)
})

test.serial('§11: an expired request is expired_token, waits for nobody any more and gives its place back', async t => {
  const person = await makeUser(server)
  const asked = await ask(till, { login_hint: person.email, requested_expiry: '1' })
  t.is(asked.expires_in, 1)
  await until(async () => (await refusal(redeem(till, asked))) === 'expired_token')
  await until(async () => idsOn((await openRequests(server, person)).page).length === 0)
  for (let round = 0; round < 5; round += 1) await ask(till, { login_hint: person.email })
  t.is(await refusal(ask(till, { login_hint: person.email })), 'temporarily_unavailable')
})

test.serial('§7.1: a request lives no longer than ten minutes, whatever its client wishes', async t => {
  t.is((await ask(till, { login_hint: (await makeUser(server)).email, requested_expiry: '999999' })).expires_in, 600)
})

test.serial('§7.1: an ID token that we signed for the client names the person, also one that has expired; another client’s does not', async t => {
  const person = await makeUser(server)
  const asked = await ask(till, { login_hint: person.email })
  await answerAll(server, person, 'approve')
  const { id_token: hint = '' } = await redeem(till, asked)
  const hinted = await ask(till, { id_token_hint: hint })
  t.is((await openRequests(server, person)).page.body.split('name="request"').length - 1, 1)
  await answerAll(server, person, 'approve')
  t.is(decodeJwt((await redeem(till, hinted)).id_token ?? '').sub, person.id)
  t.is(await refusal(ask(other, { id_token_hint: hint })), 'invalid_request')
  t.is(await refusal(ask(till, { id_token_hint: `${hint.slice(0, -4)}AAAA` })), 'invalid_request')
  await server.services.userAdministration.suspend(systemActor, person.id)
  await until(async () => (await refusal(ask(till, { id_token_hint: hint }))) === 'unknown_user_id')
})

test.serial('RFC 8707: exactly the scopes of the resource that were shown are granted', async t => {
  const person = await makeUser(server)
  const asked = await ask(till, { login_hint: person.email, scope: 'openid pay steal', resource })
  const { page, answer } = await openRequests(server, person)
  t.true(page.body.includes(resource) && page.body.includes('pay'))
  t.false(page.body.includes('steal'))
  await answer(idsOn(page)[0] ?? '', 'approve')
  const { access_token } = await redeem(till, asked)
  const claims = decodeJwt(access_token)
  t.is(claims.aud, resource)
  t.is(claims.scope, 'pay')
  t.is(claims.acr, 'urn:authy2:acr:1')
})

test.serial('§7.1.1: a signed request counts where the client signs, and nothing beside it', async t => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'till', alg: 'ES256', use: 'sig' }] }
  const signer = await makeTill(server, { metadata: { backchannel_authentication_request_signing_alg: 'ES256', jwks } })
  const person = await makeUser(server)
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ scope: 'openid', login_hint: person.email, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'till' })
      .setIssuer(signer.clientId)
      .setAudience(server.issuer)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('5m')
      .sign(privateKey)
  const good = await at(signer, { request: await sign({ binding_message: 'signed' }), binding_message: 'beside' })
  t.is(good.status, 200, good.body)
  t.true((await openRequests(server, person)).page.body.includes('signed'))
  t.is((await at(signer, { scope: 'openid', login_hint: person.email })).json.error, 'invalid_request')
  t.is((await at(signer, { request: await sign({ iss: 'another' }).then(jwt => `${jwt.slice(0, -4)}AAAA`) })).json.error, 'invalid_request')
})

test.serial('§4: a public client may not ask, whoever made it', async t => {
  t.is(await refusal(ask(await makeTill(server, { authenticationMethod: 'none' }), { login_hint: user.email })), 'invalid_client_metadata')
})

test.serial('§4: a client does not let itself ask by registering', async t => {
  const { engine } = server.app.protocol
  const initial = await new (engine.current().InitialAccessToken)({}).save()
  const metadata = { grant_types: [cibaGrant], response_types: [], redirect_uris: [], backchannel_token_delivery_mode: 'poll' }
  const register = (body: object) =>
    calls.call('/oauth2/register', {
      method: 'POST',
      headers: { authorization: `Bearer ${initial}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const refusedOne = await register(metadata)
  t.deepEqual([refusedOne.status, refusedOne.json.error], [400, 'invalid_client_metadata'])
  t.true(String(refusedOne.json.error_description).includes(cibaGrant))
  t.is((await register({ ...metadata, grant_types: ['client_credentials'] })).status, 201)
})

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

const authorizationOf = ({ clientId, secret }: TestClient) => ({ authorization: basic({ id: clientId, secret }) })
const begin = (one = device) => client.initiateDeviceAuthorization(one.configuration, { scope: 'openid' })
const poll = (one: TestClient, { device_code }: { device_code: string }) => client.genericGrantRequest(one.configuration, grantType, { device_code })
const typeCode = async (person: Person, userCode: string, at = server) => person.submit(await person.get(`${at.issuer}/device`), { user_code: userCode })
/** A browser in which somebody is signed in, on the page that asks whether the device is theirs. */
const atQuestion = async (userCode: string, { who, at = server }: { who: { email: string; password: string }; at?: TestServer }) => {
  const portal = await makeClient(at, { redirectUris: [redirectUri] })
  const { person } = await portal.signIn({ who })
  return { person, question: await typeCode(person, userCode, at) }
}
const isDone = ({ body }: Answer) => body.includes('Your device is connected')
const keyOf = ({ device_code }: { device_code: string }) => new Uint8Array(hashOf('poll', `${grantType}\0${device_code}`))

test.serial('§3.1: only who is registered for it begins, and is told what section 3.2 says', async t => {
  const portal = await makeClient(server)
  const rows: readonly (readonly [what: string, one: TestClient, form: Record<string, string>, status: number, error: string])[] = [
    ['a client that may not', portal, { scope: 'openid' }, 400, 'unauthorized_client'],
    ['a wrong secret', { ...device, secret: 'wrong' }, { scope: 'openid' }, 401, 'invalid_client'],
    ['characters that no scope has', device, { scope: '"openid"' }, 400, 'invalid_scope'],
    ['a resource that is not there', device, { scope: 'openid', resource: 'https://nowhere.example/' }, 400, 'invalid_target'],
    ['claims that are no JSON', device, { scope: 'openid', claims: '{' }, 400, 'invalid_request'],
    ['no scope', device, {}, 400, 'invalid_scope'],
    ['no scope that is known', device, { scope: 'foo bar' }, 400, 'invalid_scope'],
    ['offline access that the client may not have, alone', otherDevice, { scope: 'offline_access' }, 400, 'invalid_scope'],
    ['no scope of the resource', device, { resource }, 400, 'invalid_scope'],
  ]
  for (const [what, one, form, status, error] of rows) {
    const told = await calls.post('/oauth2/device_authorization', form, authorizationOf(one))
    t.deepEqual([told.status, told.json.error], [status, error], what)
  }
  const begun = await begin()
  t.deepEqual(Object.keys(begun).toSorted(), ['device_code', 'expires_in', 'interval', 'user_code', 'verification_uri', 'verification_uri_complete'])
  t.is(begun.interval, 5)
})

test.serial('§3.5: polls are refused by the section’s own codes', async t => {
  const begun = await begin()
  const rows: readonly (readonly [what: string, one: TestClient, form: Record<string, string>, error: string])[] = [
    ['no code', device, {}, 'invalid_request'],
    ['a code that is none', device, { device_code: 'nothing' }, 'invalid_grant'],
    ['another client’s code', otherDevice, { device_code: begun.device_code }, 'invalid_grant'],
    ['a user code', device, { device_code: begun.user_code }, 'invalid_grant'],
    ['the right one', device, { device_code: begun.device_code }, 'authorization_pending'],
    ['the right one again at once', device, { device_code: begun.device_code }, 'slow_down'],
  ]
  for (const [what, one, form, error] of rows) {
    const told = await calls.post('/oauth2/token', { grant_type: grantType, ...form }, authorizationOf(one))
    t.deepEqual([told.status, told.json.error], [400, error], what)
  }
})

test.serial('§3.5: the interval grows by five seconds with each poll that comes too early, and who keeps to it is not slowed down', async t => {
  const begun = await begin()
  const { prisma, pool } = server.resources.database
  const interval = async () => (await prisma.oidcPoll.findUnique({ where: { key: keyOf(begun) } }))?.intervalSeconds
  const wait = (seconds: number) =>
    pool.query(`UPDATE oidc_polls SET polled_at = polled_at - make_interval(secs => $2) WHERE key = $1`, [Buffer.from(keyOf(begun)), seconds])
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
  await wait(5)
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
  t.is(await refusal(poll(device, begun)), 'slow_down')
  t.is(await interval(), 10)
  await wait(5)
  t.is(await refusal(poll(device, begun)), 'slow_down')
  t.is(await interval(), 15)
  await wait(15)
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
})

test.serial('§3.5: of polls that come together one is answered and the others are slowed down', async t => {
  const begun = await begin()
  const codes = await Promise.all(Array.from({ length: 10 }, () => refusal(poll(device, begun))))
  t.is(codes.filter(code => code === 'authorization_pending').length, 1)
  t.is(codes.filter(code => code === 'slow_down').length, 9)
})

test.serial('§3.5: an expired code is expired_token, and its user code connects nothing any more', async t => {
  const begun = await begin()
  const { prisma } = server.resources.database
  const key = new Uint8Array(hashOf('DeviceCode', begun.device_code))
  const { payload } = await prisma.oidcArtifact.findUniqueOrThrow({ where: { key } })
  await prisma.oidcArtifact.update({ where: { key }, data: { payload: { ...(payload as object), exp: Math.floor(Date.now() / 1000) - 1 } } })
  await until(async () => (await refusal(poll(device, begun))) === 'expired_token')
  t.false((await typeCode(createPerson(), begun.user_code)).body.includes('name="confirm"'))
})

test.serial('§3.3: of twenty confirmations of one code one goes on, whoever makes them', async t => {
  // A used code is a wrong one, and of those an address has twenty: a server of its own.
  const at = await startServer()
  t.teardown(at.close)
  const own = await makeClient(at, { grantTypes: [grantType, 'refresh_token'] })
  const begun = await begin(own)
  const people = await Promise.all([makeUser(at), makeUser(at)])
  const browsers = await Promise.all(people.map(who => atQuestion(begun.user_code, { who, at })))
  t.true(browsers.every(({ question }) => question.body.includes('name="confirm"')))
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_none, index) => {
      const { person, question } = browsers[index % 2] as (typeof browsers)[number]
      return person.press(question, 'name="confirm"')
    }),
  )
  t.is(answers.filter(isDone).length, 1)
  t.true(answers.every(answer => isDone(answer) || answer.body.includes('name="user_code"') || answer.status === 429))
  t.true(answers.every(({ status }) => status < 500))
  const tokens = await poll(own, begun)
  t.true(people.some(({ id }) => id === tokens.claims()?.sub))
})

test.serial('§3.3: a code that is confirmed and refused at once is one or the other', async t => {
  const begun = await begin()
  const { person, question } = await atQuestion(begun.user_code, { who: await makeUser(server) })
  const answers = await Promise.all(['confirm', 'abort', 'confirm', 'abort'].map(what => person.press(question, `name="${what}"`)))
  const connected = answers.filter(isDone).length
  t.true(connected <= 1)
  const told = await Promise.resolve(poll(device, begun)).then(
    () => 'tokens',
    error => (error instanceof client.ResponseBodyError ? error.error : String(error)),
  )
  t.is(told, connected === 1 ? 'tokens' : 'access_denied')
})

test.serial('§5.4: the question names the client, the code and where the device asked from', async t => {
  const television = await makeClient(server, { name: 'Television 9', grantTypes: [grantType] })
  const begun = await calls.post(
    '/oauth2/device_authorization',
    { scope: 'openid' },
    { ...authorizationOf(television), 'user-agent': 'Television/9.1', 'x-forwarded-for': '::ffff:198.51.100.7' },
  )
  const { body } = await typeCode(createPerson(), String(begun.json.user_code))
  for (const shown of ['Television 9', String(begun.json.user_code), 'Television/9.1', '198.51.100.7', 'Not my device']) t.true(body.includes(shown), shown)
  t.false(body.includes('::ffff:'))
})
