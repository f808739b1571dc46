// What is refused of backchannel authentication, by the sections that say so (OpenID Connect CIBA Core 1.0, RFC 6749, RFC 8707).
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { systemActor } from '../../src/platform/actor.ts'
import { hashOf } from '../../src/platform/secrets.ts'
import { basic, type Calls, createCalls } from '../support/calls.ts'
import { answerAll, ask, cibaGrant, idsOn, makeTill, openRequests, redeem } from '../support/ciba.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let calls: Calls
let till: TestClient
let notified: TestClient
let other: TestClient
let user: Awaited<ReturnType<typeof makeUser>>
const resource = 'https://ciba-errors.example/api'

test.before(async () => {
  server = await startServer()
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
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

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
  ['RFC 8707 §2', 'for a resource that is not there', { resource: 'https://nowhere.example/' }, 'invalid_target'],
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
