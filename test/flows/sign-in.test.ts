// The main journey by two unmodified relying-party libraries, openid-client and oauth4webapi, which check each answer by themselves; and what
// somebody who had not built it stumbled over on it, each once.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { makeClient, refusal } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { alice, bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { asService, begin, http, introspect, makeKeys, makeWebClient, redeem, visit, type WebClient } from '../support/web-api.ts'

let server: TestServer
let person: Person
test.before(async () => {
  server = await startServer()
  person = await signedIn()
})
test.after.always(() => server?.close())

test('a person signs in at a relying party and their ID token and userinfo tell who they are', async t => {
  const { configuration, signIn } = await createRelyingParty(server.issuer)
  const { tokens } = await signIn()
  const claims = tokens.claims()
  t.is(claims?.iss, server.issuer)
  t.is(claims?.aud, 'acme-portal-001')
  t.deepEqual(claims?.amr, ['pwd'])
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, claims?.sub ?? '')
  t.is(userinfo.email, bob.email)
  t.true(userinfo.email_verified)
  t.is(userinfo.name, 'Bob Member')
})

test('a second authorization in the same browser needs no password', async t => {
  const { configuration, request, signIn } = await createRelyingParty(server.issuer)
  const { person } = await signIn()
  const again = await request({ prompt: 'none' })
  const answer = await person.get(again.url)
  t.is(answer.status, 303)
  t.true(answer.location?.href.startsWith(redirectUri))
  const tokens = await client.authorizationCodeGrant(configuration, answer.location ?? (redirectUri as never), again.checks)
  t.truthy(tokens.claims()?.sub)
})

test('prompt=none without a session answers login_required to the client', async t => {
  const { request } = await createRelyingParty(server.issuer)
  const answer = await createPerson().get((await request({ prompt: 'none' })).url)
  t.is(answer.location?.searchParams.get('error'), 'login_required')
  t.is(answer.location?.searchParams.get('iss'), server.issuer)
})

test('a client that registers without a name can be used', async t => {
  const token = await new (server.app.protocol.engine.current().InitialAccessToken)().save()
  const response = await fetch(`${server.issuer}/oauth2/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example.com/cb'] }),
  })
  t.is(response.status, 201)
  const { client_id: clientId } = Object(await response.json())
  const answer = await createPerson().get(
    `${server.issuer}/oauth2/authorize?client_id=${clientId}&response_type=code&scope=openid&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb`,
  )
  t.is(answer.status, 303)
  t.true(answer.location?.pathname.startsWith('/interaction/'))
})

test('a service is given no scope that no resource knows', async t => {
  const { configuration } = await createRelyingParty(server.issuer, { clientId: 'acme-service-001', secret: 'acme_secret_service_2024' })
  t.is(await refusal(client.clientCredentialsGrant(configuration, { scope: 'admin openid users:delete' })), 'invalid_scope')
  const { access_token: token, scope } = await client.clientCredentialsGrant(configuration)
  t.is(scope, undefined)
  t.is((await client.tokenIntrospection(configuration, token)).scope, undefined)
})

for (const [title, claims] of [
  ['an essential acr', { id_token: { acr: { essential: true, values: ['urn:example:gold'] } } }],
  ['another subject', { id_token: { sub: { value: 'somebody-else' } } }],
] as const)
  test(`a sign-in that cannot give ${title} goes back to the client instead of round in circles`, async t => {
    const { request } = await createRelyingParty(server.issuer)
    const back = await createPerson().authorize((await request({ claims: JSON.stringify(claims) })).url, { ...bob, redirectUri })
    t.is(back.searchParams.get('error'), 'unmet_authentication_requirements')
  })

test('consent that is asked again shows what is asked', async t => {
  const { clientId, secret } = await makeClient(server, {})
  const { request, signIn } = await createRelyingParty(server.issuer, { clientId, secret })
  const { person } = await signIn({ who: alice })
  const page = await person.follow(await person.get((await request({ prompt: 'consent' })).url), redirectUri)
  t.true(page.body.includes('See your email address'))
})

test('whoever stays signed in is not told that they are signed out', async t => {
  const { signIn } = await createRelyingParty(server.issuer)
  const { person } = await signIn({ who: alice })
  const confirm = new URL('/oauth2/logout/confirm', server.issuer)
  const stayed = await person.follow(await person.post(confirm, { xsrf: await askedXsrf(person) }), redirectUri)
  t.true(stayed.body.includes('You are still signed in'))
  const left = await person.follow(await person.post(confirm, { xsrf: await askedXsrf(person), logout: 'yes' }), redirectUri)
  t.true(left.body.includes('You are signed out'))
})

const askedXsrf = async (person: ReturnType<typeof createPerson>) =>
  /name="xsrf" value="([^"]+)"/.exec((await person.get(`${server.issuer}/oauth2/logout`)).body)?.[1] ?? ''

test('prompt=select_account lets a signed-in person choose another account', async t => {
  const { configuration, request, signIn } = await createRelyingParty(server.issuer)
  const { person, tokens } = await signIn({ who: alice })
  const again = await request({ prompt: 'select_account' })
  const page = await person.follow(await person.get(again.url), redirectUri)
  t.true(page.body.includes('name="username"'))
  const back = await person.authorize(page.url, { ...alice, redirectUri })
  const chosen = await client.authorizationCodeGrant(configuration, back, again.checks)
  t.is(chosen.claims()?.sub, tokens.claims()?.sub)
})

test('guessing a client secret ends after a hundred failures, for right and wrong alike', async t => {
  const { clientId, secret } = await makeClient(server, { grantTypes: ['client_credentials'], redirectUris: [] })
  const ask = (guess: string) =>
    fetch(`${server.issuer}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${clientId}:${guess}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  const attempt = async (guess: string) => (await ask(guess)).status
  t.is(await attempt(secret), 200)
  const statuses = await Promise.all(Array.from({ length: 100 }, () => attempt('wrong')))
  t.true(statuses.every(status => status === 401))
  await sleep(1100)
  for (const guess of ['wrong', secret]) {
    const { status, headers } = await ask(guess)
    t.is(status, 429)
    t.true(Number(headers.get('retry-after')) > 800 && Number(headers.get('retry-after')) < 900, 'what is left of the quarter of an hour')
  }
})

test('the page that posts a form on is one of ours', async t => {
  const { body } = await createPerson().get(`${server.issuer}/oauth2/logout`)
  t.true(body.includes('<html lang="en"') && body.includes('rel="stylesheet"') && body.includes('<h1>'))
})

const signedIn = async () => {
  const somebody = createPerson()
  const web = await makeWebClient(server)
  await visit(web, somebody, (await begin(web)).parameters)
  return somebody
}
const resource = 'http://localhost:4000/api/es256'
const machine = { grantTypes: ['client_credentials'] }
const device = { grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'], redirectUris: [], authenticationMethod: 'none' } as const

const signIn = async (web: WebClient, more: Record<string, string> = {}, DPoP?: oauth.DPoPHandle) => {
  const begun = await begin(web, more)
  return redeem(web, { back: await visit(web, person, begun.parameters), begun, DPoP })
}
const userinfo = async (web: WebClient, tokens: oauth.TokenEndpointResponse, DPoP?: oauth.DPoPHandle) => {
  const response = await oauth.userInfoRequest(web.as, web.client, tokens.access_token, { ...http, DPoP })
  return oauth.processUserInfoResponse(web.as, web.client, oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '', response)
}
const refresh = async (web: WebClient, token = '', more: Record<string, string> = {}) => {
  const response = await oauth.refreshTokenGrantRequest(web.as, web.client, web.auth, token, { ...http, additionalParameters: more })
  return oauth.processRefreshTokenResponse(web.as, web.client, response)
}
const push = async (web: WebClient, parameters: URLSearchParams) => {
  const response = await oauth.pushedAuthorizationRequest(web.as, web.client, web.auth, parameters, http)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(web.as, web.client, response)
  return new URLSearchParams({ client_id: web.client.client_id, request_uri })
}

for (const authenticationMethod of ['client_secret_basic', 'none'] as const)
  test(`${authenticationMethod}: a code with PKCE is tokens, whose person userinfo tells of`, async t => {
    const auth = authenticationMethod === 'none' ? oauth.None : oauth.ClientSecretBasic
    const web = await makeWebClient(server, { authenticationMethod, auth })
    const tokens = await signIn(web, { scope: 'openid email' })
    t.is(tokens.token_type, 'bearer')
    t.is((await userinfo(web, tokens)).email, alice.email)
  })

test('a pushed request is a code (RFC 9126)', async t => {
  const web = await makeWebClient(server)
  const begun = await begin(web)
  const back = await visit(web, person, await push(web, begun.parameters))
  t.truthy((await redeem(web, { back, begun })).id_token)
})

test('a signed request is a code, sent and pushed (RFC 9101)', async t => {
  const { privateKey, jwks } = await makeKeys()
  const web = await makeWebClient(server, { metadata: { jwks, require_signed_request_object: true } })
  for (const isPushed of [false, true]) {
    const begun = await begin(web)
    const request = await oauth.issueRequestObject(web.as, web.client, begun.parameters, { key: privateKey, kid: 'own' })
    const sent = new URLSearchParams({ client_id: web.client.client_id, request })
    const back = await visit(web, person, isPushed ? await push(web, sent) : sent)
    t.truthy((await redeem(web, { back, begun })).id_token)
  }
})

test('an answer in a JWT is checked and redeemed (JARM)', async t => {
  const web = await makeWebClient(server, { metadata: { authorization_signed_response_alg: 'ES256' } })
  const begun = await begin(web, { response_mode: 'jwt' })
  const url = await visit(web, person, begun.parameters)
  const back = await oauth.validateJwtAuthResponse(web.as, web.client, url, begun.state, http)
  t.truthy((await redeem(web, { back, begun })).id_token)
  await t.throwsAsync(oauth.validateJwtAuthResponse(web.as, web.client, url, 'another state', http))
})

test('tokens are bound to a key, and a nonce of the server is taken up (RFC 9449)', async t => {
  const web = await makeWebClient(server)
  const keys = await oauth.generateKeyPair('ES256', { extractable: true })
  const DPoP = oauth.DPoP(web.client, keys)
  const tokens = await signIn(web, {}, DPoP)
  t.is(tokens.token_type, 'dpop')
  t.truthy((await userinfo(web, tokens, DPoP)).sub)
  t.is((await introspect(web, tokens.access_token)).cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keys.publicKey)))
})

test('a client whose clock is wrong is given a nonce, and then succeeds (RFC 9449 §8)', async t => {
  const web = await makeWebClient(server, { ...machine })
  const late = oauth.DPoP({ [oauth.clockSkew]: -3600 }, await oauth.generateKeyPair('ES256'))
  const error = await t.throwsAsync(asService(web, {}, late))
  t.true(oauth.isDPoPNonceError(error))
  t.is((await asService(web, {}, late)).token_type, 'dpop')
})

test('a refresh token is a new access token, and another of the kind', async t => {
  const web = await makeWebClient(server)
  const tokens = await signIn(web)
  const second = await refresh(web, tokens.refresh_token, { scope: 'openid' })
  t.is(second.scope, 'openid')
  t.not(second.refresh_token, tokens.refresh_token)
  t.truthy((await refresh(web, second.refresh_token)).access_token)
})

test('a service has tokens of its own, is told of them, and revokes them (RFC 6749 §4.4, RFC 7662, RFC 7009)', async t => {
  const web = await makeWebClient(server, machine)
  const { access_token } = await asService(web)
  t.is((await introspect(web, access_token)).client_id, web.client.client_id)
  await oauth.processRevocationResponse(await oauth.revocationRequest(web.as, web.client, web.auth, access_token, http))
  t.false((await introspect(web, access_token)).active)
})

test('a token for a resource is a JWT that the resource takes (RFC 8707, RFC 9068)', async t => {
  const web = await makeWebClient(server)
  const tokens = await signIn(web, { resource, scope: 'openid read' })
  const service = await makeWebClient(server, machine)
  for (const { access_token } of [tokens, await asService(service, { resource, scope: 'read' })]) {
    const request = new Request(resource, { headers: { authorization: `Bearer ${access_token}` } })
    const claims = await oauth.validateJwtAccessToken(web.as, request, resource, http)
    t.is(claims.scope, 'read')
    await t.throwsAsync(oauth.validateJwtAccessToken(web.as, request, 'http://localhost:4000/api/rs256', http))
  }
})

test('a client proves itself by a key of its own (private_key_jwt)', async t => {
  const { privateKey, jwks } = await makeKeys()
  const auth = () => oauth.PrivateKeyJwt({ key: privateKey, kid: 'own' })
  const web = await makeWebClient(server, { ...machine, authenticationMethod: 'private_key_jwt', metadata: { jwks }, auth })
  t.truthy((await asService(web)).access_token)
  const other = { ...web, auth: oauth.PrivateKeyJwt((await makeKeys()).privateKey) }
  t.is((await t.throwsAsync<oauth.ResponseBodyError>(asService(other)))?.error, 'invalid_client')
})

test('a client proves itself by a MAC (client_secret_jwt)', async t => {
  const web = await makeWebClient(server, { ...machine, authenticationMethod: 'client_secret_jwt', auth: oauth.ClientSecretJwt })
  t.truthy((await asService(web)).access_token)
  const other = { ...web, auth: oauth.ClientSecretJwt('another secret of some length, long enough') }
  t.is((await t.throwsAsync<oauth.ResponseBodyError>(asService(other)))?.error, 'invalid_client')
})

test('a device has its tokens when its person said so (RFC 8628)', async t => {
  const web = await makeWebClient(server, { ...device, auth: oauth.None })
  const response = await oauth.deviceAuthorizationRequest(web.as, web.client, web.auth, { scope: 'openid' }, http)
  const begun = await oauth.processDeviceAuthorizationResponse(web.as, web.client, response)
  const poll = async () =>
    oauth.processDeviceCodeResponse(web.as, web.client, await oauth.deviceCodeGrantRequest(web.as, web.client, web.auth, begun.device_code, http))
  t.is((await t.throwsAsync<oauth.ResponseBodyError>(poll()))?.error, 'authorization_pending')
  const owner = await signedIn()
  const asked = await owner.press(await owner.get(begun.verification_uri_complete ?? ''), 'name="user_code"')
  await owner.follow(await owner.press(asked, 'name="confirm"'), redirectUri)
  t.truthy((await poll()).id_token)
})
