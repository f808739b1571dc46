// What nobody on the way can change or use: authorization requests and answers by PAR, JAR, JARM and form_post; tokens bound to a key (RFC
// 9449); and both together in FAPI 2.0, where every other way is closed.
import { createHash, randomUUID } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import * as client from 'openid-client'
import { fillForm } from '../../scripts/bench/forms.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { assertionOf, jwksOf, makeKeys, makeProfiled, type Profiled, post, proofOf, safeRedirectUri, sign } from '../support/protected-clients.ts'
import { alice, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person
let own: Profiled
let signing: Profiled
test.before(async () => {
  server = await startServer()
  person = (await (await makeClient(server)).signIn({ who: alice })).person
  own = await makeProfiled(server)
  signing = await makeProfiled(server, { securityProfile: 'fapi2_message_signing' })
})
test.after.always(() => server?.close())

const parametersOf = async ({ request }: TestClient, parameters: Record<string, string> = {}) => {
  const made = await request(parameters)
  made.url.searchParams.delete('client_id')
  made.url.searchParams.delete('response_type')
  return { ...made, parameters: Object.fromEntries(made.url.searchParams) }
}

test('a pushed request is answered with a code, once (RFC 9126)', async t => {
  const relyingParty = await makeClient(server)
  const { parameters, checks } = await parametersOf(relyingParty)
  const url = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  t.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const { location } = await person.follow(await person.get(url), redirectUri)
  t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
  const again = await person.get(url)
  t.is(again.status, 400)
  t.is(again.location, undefined)
})

test('a pushed request may be reloaded while the person is signing in', async t => {
  const relyingParty = await makeClient(server)
  const { parameters } = await parametersOf(relyingParty)
  const url = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  const other = createPerson()
  t.is((await other.follow(await other.get(url), redirectUri)).status, 200)
  const back = await other.authorize(url, { ...alice, redirectUri })
  t.truthy(back.searchParams.get('code'))
})

test('a pushed request is refused to who is not the client, and to another client’s request_uri', async t => {
  const [own, other] = await Promise.all([makeClient(server), makeClient(server)])
  const { parameters } = await parametersOf(own)
  const url = await client.buildAuthorizationUrlWithPAR(own.configuration, parameters)
  url.searchParams.set('client_id', other.clientId)
  t.is((await person.get(url)).status, 400)
  const wrong = { ...parameters, redirect_uri: 'https://elsewhere.example/' }
  t.is(await refusal(client.buildAuthorizationUrlWithPAR(own.configuration, wrong)), 'invalid_request')
})

test('a pushed request for nothing that is known is refused where it is pushed (RFC 9126 §2.3)', async t => {
  const relyingParty = await makeClient(server)
  const { parameters: made } = await parametersOf(relyingParty)
  // Who asks nothing of OpenID Connect sends no nonce.
  const { nonce: _nonce, ...parameters } = made
  const push = (scope: string) => client.buildAuthorizationUrlWithPAR(relyingParty.configuration, { ...parameters, scope })
  for (const scope of ['', 'foo', 'foo bar']) t.is(await refusal(push(scope)), 'invalid_scope', scope)
  t.truthy((await push('openid foo')).searchParams.get('request_uri'))
})

test('a pushed request that asks nobody and wants a fresh sign-in is login_required, as it is when it was not pushed', async t => {
  const relyingParty = await makeClient(server)
  const { parameters } = await parametersOf(relyingParty, { prompt: 'none', max_age: '0' })
  const pushed = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  const { url } = await relyingParty.request({ prompt: 'none', max_age: '0' })
  for (const asked of [pushed, url]) t.is((await person.get(asked)).location?.searchParams.get('error'), 'login_required')
})

for (const parameters of [{ max_age: '0' }, { max_age: '0', prompt: 'consent' }, { prompt: 'login' }] as Record<string, string>[])
  test(`a pushed request with ${JSON.stringify(parameters)} asks for a fresh sign-in`, async t => {
    const relyingParty = await makeClient(server)
    const made = await parametersOf(relyingParty, parameters)
    const page = await person.follow(await person.get(await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, made.parameters)), redirectUri)
    t.true(page.body.includes('name="username"'))
  })

test('a client may be held to pushed requests', async t => {
  const relyingParty = await makeClient(server, { metadata: { require_pushed_authorization_requests: true } })
  const { url } = await relyingParty.request({ prompt: 'none' })
  t.is((await person.get(url)).location?.searchParams.get('error'), 'invalid_request')
})

for (const alg of ['ES256', 'RS256', 'EdDSA'])
  test(`a signed request object is taken from its client and from no other key (RFC 9101, ${alg})`, async t => {
    const [own, other] = await Promise.all([generateKeyPair(alg, { extractable: true }), generateKeyPair(alg)])
    const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), use: 'sig' } as JWK] }
    const relyingParty = await makeClient(server, { metadata: { jwks } })
    const { parameters, checks } = await parametersOf(relyingParty)
    const url = await client.buildAuthorizationUrlWithJAR(relyingParty.configuration, parameters, own.privateKey)
    const { location } = await person.follow(await person.get(url), redirectUri)
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
    const forged = await client.buildAuthorizationUrlWithJAR(relyingParty.configuration, parameters, other.privateKey)
    const answer = await person.get(forged)
    t.is(answer.location?.searchParams.get('code') ?? undefined, undefined)
    t.regex(`${answer.status} ${answer.location?.searchParams.get('error')}`, /^400|invalid_request_object/)
  })

test('an unsigned request object is refused', async t => {
  const relyingParty = await makeClient(server)
  const { url } = await relyingParty.request()
  const claims = { ...Object.fromEntries(url.searchParams), iss: relyingParty.clientId, aud: server.issuer }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  url.searchParams.set('request', `${encode({ alg: 'none', typ: 'oauth-authz-req+jwt' })}.${encode(claims)}.`)
  const answer = await person.get(url)
  t.falsy(answer.location?.searchParams.get('code'))
})

test('an answer may come as a signed JWT (JARM)', async t => {
  for (const alg of ['ES256', 'RS256']) {
    const relyingParty = await makeClient(server, { metadata: { authorization_signed_response_alg: alg } })
    client.useJwtResponseMode(relyingParty.configuration)
    const { url, checks } = await relyingParty.request()
    t.is(url.searchParams.get('response_mode'), 'jwt')
    const { location } = await person.follow(await person.get(url), redirectUri)
    t.deepEqual([...(location?.searchParams.keys() ?? [])], ['response'])
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, location as URL, checks)).access_token)
  }
})

for (const mode of ['form_post', 'form_post.jwt'])
  test(`an answer by ${mode} is a page that sends itself, and whose script its policy allows`, async t => {
    const relyingParty = await makeClient(server)
    const { url, checks } = await relyingParty.request({ response_mode: mode })
    if (mode === 'form_post.jwt') client.useJwtResponseMode(relyingParty.configuration)
    const page = await person.get(url)
    t.is(page.status, 200)
    const script = /<script>(.*?)<\/script>/s.exec(page.body)?.[1] ?? ''
    const hash = createHash('sha256').update(script).digest('base64')
    const policy = page.headers.get('content-security-policy') ?? ''
    t.true(policy.includes(`'sha256-${hash}'`), policy)
    t.false(policy.includes('form-action'))
    t.false(policy.includes('unsafe-inline'))
    t.is(page.headers.get('cache-control'), 'no-store')
    const form = fillForm(page.body.replaceAll('type="hidden"', ''), { code: '', response: '', state: '' })
    const named = Object.fromEntries(
      [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    )
    t.is(form?.action, redirectUri)
    const back = new Request(redirectUri, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(named),
    })
    t.truthy((await client.authorizationCodeGrant(relyingParty.configuration, back, checks)).access_token)
  })

const bind = async ({ configuration }: TestClient, alg = 'ES256') => {
  const keyPair = await client.randomDPoPKeyPair(alg, { extractable: true })
  return { keyPair, DPoP: client.getDPoPHandle(configuration, keyPair) }
}
const signIn = async (relyingParty: TestClient, DPoP: client.DPoPHandle) => {
  const made = await relyingParty.request()
  const back = await createPerson().authorize(made.url, { ...alice, redirectUri })
  return client.authorizationCodeGrant(relyingParty.configuration, back, made.checks, undefined, { DPoP })
}

for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519'])
  test(`tokens are bound to the key that asked for them (${alg})`, async t => {
    const relyingParty = await makeClient(server, { grantTypes: ['client_credentials'] })
    const { keyPair, DPoP } = await bind(relyingParty, alg)
    const tokens = await client.clientCredentialsGrant(relyingParty.configuration, {}, { DPoP })
    t.is(tokens.token_type, 'dpop')
    const told = await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)
    t.is(told.cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)))
    t.is(told.token_type, 'DPoP')
  })

test('userinfo answers to the key, not to another and not without', async t => {
  const relyingParty = await makeClient(server)
  const [own, other] = await Promise.all([bind(relyingParty), bind(relyingParty)])
  const { access_token } = await signIn(relyingParty, own.DPoP)
  const ask = (options?: client.DPoPOptions) => client.fetchUserInfo(relyingParty.configuration, access_token, client.skipSubjectCheck, options)
  t.is((await ask({ DPoP: own.DPoP })).email, alice.email)
  t.is(await refusal(ask({ DPoP: other.DPoP })), 'invalid_token')
  t.is(await refusal(ask()), 'invalid_token')
})

test('a public client’s refresh token answers to its key alone', async t => {
  const relyingParty = await makeClient(server, { authenticationMethod: 'none', metadata: { dpop_bound_access_tokens: true } })
  const [own, other] = await Promise.all([bind(relyingParty), bind(relyingParty)])
  const { refresh_token = '' } = await signIn(relyingParty, own.DPoP)
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, refresh_token, {}, { DPoP: other.DPoP })), 'invalid_grant')
  t.is((await client.refreshTokenGrant(relyingParty.configuration, refresh_token, {}, { DPoP: own.DPoP })).token_type, 'dpop')
})

test('a public client’s refresh token that was bound to no key is followed by one that is bound to the key it proves', async t => {
  const relyingParty = await makeClient(server, { authenticationMethod: 'none' })
  const [own, other] = await Promise.all([bind(relyingParty), bind(relyingParty)])
  const { tokens } = await relyingParty.signIn({ who: alice })
  const refresh = (token = '', DPoP?: client.DPoPHandle) => client.refreshTokenGrant(relyingParty.configuration, token, {}, { DPoP })
  const bound = await refresh(tokens.refresh_token, own.DPoP)
  for (const DPoP of [undefined, other.DPoP]) {
    t.is(await refusal(refresh(bound.refresh_token, DPoP)), 'invalid_grant')
    t.is(await refusal(refresh(tokens.refresh_token, DPoP)), 'invalid_grant', 'a retry')
  }
  t.is((await refresh(tokens.refresh_token, own.DPoP)).refresh_token, bound.refresh_token)
  t.is((await refresh(bound.refresh_token, own.DPoP)).token_type, 'dpop')
})

test('a confidential client’s refresh token is bound to the client alone, whatever key it proves', async t => {
  const relyingParty = await makeClient(server)
  const { DPoP } = await bind(relyingParty)
  const { tokens } = await relyingParty.signIn({ who: alice })
  const next = await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '', {}, { DPoP })
  t.is((await client.refreshTokenGrant(relyingParty.configuration, next.refresh_token ?? '')).token_type, 'bearer')
})

test('a proof is taken once, also when it comes twice at the same moment', async t => {
  const relyingParty = await makeClient(server)
  const { keyPair, DPoP } = await bind(relyingParty)
  const { access_token } = await signIn(relyingParty, DPoP)
  const url = `${server.issuer}/oauth2/userinfo`
  const ath = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(access_token))).toString('base64url')
  const proof = await new SignJWT({ htm: 'GET', htu: url, jti: randomUUID(), ath })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keyPair.publicKey) })
    .setIssuedAt()
    .sign(keyPair.privateKey)
  const send = async () => (await fetch(url, { headers: { authorization: `DPoP ${access_token}`, dpop: proof } })).status
  const statuses = await Promise.all([send(), send(), send(), send()])
  t.deepEqual(statuses.sort(), [200, 401, 401, 401])
  t.is(await send(), 401)
})

test('a client that must bind its tokens gets none without a proof', async t => {
  const relyingParty = await makeClient(server, { grantTypes: ['client_credentials'], metadata: { dpop_bound_access_tokens: true } })
  t.is(await refusal(client.clientCredentialsGrant(relyingParty.configuration)), 'invalid_grant')
})

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const seconds = () => Math.floor(Date.now() / 1000)
const asked = { response_type: 'code', redirect_uri: safeRedirectUri, scope: 'openid', code_challenge: challenge, code_challenge_method: 'S256' }
const push = async (form: Record<string, string | undefined>, { as = own, claims = {} }: { as?: Profiled; claims?: JWTPayload } = {}) =>
  post(`${server.issuer}/oauth2/par`, { ...asked, ...(await assertionOf(server, as, claims)), ...form })
const binding = async ({ configuration }: Profiled) => client.getDPoPHandle(configuration, await client.randomDPoPKeyPair('ES256', { extractable: true }))

const journey = async (as: Profiled, { key, DPoP }: { key?: Profiled['keys']['privateKey']; DPoP: client.DPoPHandle }) => {
  const made = await as.request({ scope: 'openid email offline_access', prompt: 'consent' })
  const parameters = new URLSearchParams([...made.url.searchParams].filter(([name]) => name !== 'client_id'))
  const signed = key && new URLSearchParams((await client.buildAuthorizationUrlWithJAR(as.configuration, parameters, key)).searchParams)
  const url = await client.buildAuthorizationUrlWithPAR(as.configuration, signed ?? parameters, { DPoP })
  const back = await createPerson().authorize(url, { ...alice, redirectUri: safeRedirectUri })
  return { back, tokens: await client.authorizationCodeGrant(as.configuration, back, made.checks, undefined, { DPoP }) }
}

test('the Security Profile with private_key_jwt and DPoP: pushed, bound, and refreshed without rotation (§5.3.2.1 (9))', async t => {
  const DPoP = await binding(own)
  const { back, tokens } = await journey(own, { DPoP })
  t.is(back.searchParams.get('iss'), server.issuer)
  t.is(tokens.token_type, 'dpop')
  t.is(decodeProtectedHeader(tokens.id_token ?? '').alg, 'ES256')
  t.is((await client.fetchUserInfo(own.configuration, tokens.access_token, client.skipSubjectCheck, { DPoP })).email, alice.email)
  for (let time = 0; time < 2; time += 1) {
    const again = await client.refreshTokenGrant(own.configuration, tokens.refresh_token ?? '', {}, { DPoP })
    t.is(again.refresh_token ?? tokens.refresh_token, tokens.refresh_token)
    t.is(again.token_type, 'dpop')
  }
})

test('Message Signing: the request, the answer and introspection are signed (§5.3, §5.4, §5.5)', async t => {
  client.useJwtResponseMode(signing.configuration)
  const DPoP = await binding(signing)
  const { back, tokens } = await journey(signing, { key: signing.keys.privateKey, DPoP })
  t.deepEqual([...back.searchParams.keys()], ['response'])
  t.is(decodeProtectedHeader(back.searchParams.get('response') ?? '').alg, 'ES256')
  const told = await post(
    `${server.issuer}/oauth2/introspect`,
    { ...(await assertionOf(server, signing)), token: tokens.access_token },
    { accept: 'application/token-introspection+jwt' },
  )
  t.is(decodeProtectedHeader(told.text).alg, 'ES256')
  t.like(decodeJwt(told.text).token_introspection, { active: true, token_type: 'DPoP' })
})

type Refusal = readonly [section: string, title: string, refused: () => Promise<{ status: number; json: Record<string, unknown> }>, error: string]

const objectClaims = (more: object = {}) => ({
  iss: signing.clientId,
  aud: server.issuer,
  client_id: signing.clientId,
  nbf: seconds(),
  ...asked,
  response_mode: 'jwt',
  ...more,
})
const pushObject = async (more: object = {}, keys = signing.keys) =>
  post(`${server.issuer}/oauth2/par`, { ...(await assertionOf(server, signing)), request: await sign(keys, objectClaims(more)) })

// The relying party of each row does one thing wrong.
const refusals: readonly Refusal[] = [
  ['SP §5.3.2.1 (3)', 'who does not authenticate', () => push({ client_assertion: undefined, client_assertion_type: undefined }), 'invalid_client'],
  [
    'SP §5.3.2.1 (6)',
    'a secret instead',
    () => push({ client_assertion: undefined, client_assertion_type: undefined, client_secret: 'a secret' }),
    'invalid_client',
  ],
  ['SP §5.3.2.1 (8)', 'an assertion for the endpoint', () => push({}, { claims: { aud: `${server.issuer}/oauth2/par` } }), 'invalid_client'],
  ['SP §5.3.2.1 (8)', 'an assertion for the token endpoint', () => push({}, { claims: { aud: `${server.issuer}/oauth2/token` } }), 'invalid_client'],
  ['SP §5.3.2.1 (8)', 'an assertion for a list', () => push({}, { claims: { aud: [server.issuer] } }), 'invalid_client'],
  ['SP §5.3.2.1 (8)', 'an assertion for somebody else', () => push({}, { claims: { aud: 'https://other.example' } }), 'invalid_client'],
  ['SP §5.3.2.1 (13)', 'an assertion made in the future', () => push({}, { claims: { iat: seconds() + 75, exp: seconds() + 200 } }), 'invalid_client'],
  ['SP §5.3.2.1 (13)', 'an assertion valid in the future', () => push({}, { claims: { nbf: seconds() + 75, exp: seconds() + 200 } }), 'invalid_client'],
  ['RFC 7523 §3 (4)', 'an assertion that ended', () => push({}, { claims: { exp: seconds() - 60 } }), 'invalid_client'],
  ['RFC 7523 §3 (4)', 'an assertion without an end', () => push({}, { claims: { exp: undefined } }), 'invalid_client'],
  ['RFC 7523 §3 (7)', 'an assertion without a name', () => push({}, { claims: { jti: undefined } }), 'invalid_client'],
  ['RFC 7523 §3 (1)', 'an assertion of somebody else', () => push({}, { claims: { iss: 'somebody' } }), 'invalid_client'],
  ['RFC 7523 §3 (9)', 'an assertion by another key', async () => push({}, { as: { ...own, keys: await makeKeys() } }), 'invalid_client'],
  ['SP §5.4.1', 'an assertion signed RS256', async () => push({}, { as: { ...own, keys: own.weakKeys } }), 'invalid_client'],
  ['SP §5.3.2.2 (5)', 'no PKCE', () => push({ code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request'],
  ['SP §5.3.2.2 (5)', 'PKCE in the clear', () => push({ code_challenge_method: 'plain' }), 'invalid_request'],
  ['SP §5.3.2.2 (6)', 'no redirect_uri', () => push({ redirect_uri: undefined }), 'invalid_request'],
  ['SP §5.3.2.2 (6)', 'a redirect_uri that is not its own', () => push({ redirect_uri: 'https://elsewhere.example/' }), 'invalid_request'],
  ['SP §5.3.2.2 (1)', 'a token in the answer', () => push({ response_type: 'code id_token', nonce: 'n' }), 'unsupported_response_type'],
  ['RFC 9126 §2.1', 'a pushed request that names another', () => push({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }), 'request_uri_not_supported'],
  [
    'RFC 9449 §10',
    'a proof for another address',
    async () => pushProof(await proofOf(await makeKeys(), `${server.issuer}/oauth2/token`)),
    'invalid_dpop_proof',
  ],
  ['SP §5.4.1', 'a proof signed RS256', async () => pushProof(await proofOf(await makeKeys('RS256'), `${server.issuer}/oauth2/par`)), 'invalid_dpop_proof'],
  [
    'RFC 9449 §10',
    'a proof of another key than dpop_jkt',
    async () => pushProof(await proofOf(await makeKeys(), `${server.issuer}/oauth2/par`), 'x'.repeat(43)),
    'invalid_request',
  ],
  [
    'SP §5.3.2.1 (2)',
    'the password grant',
    async () => post(`${server.issuer}/oauth2/token`, { ...(await assertionOf(server, own)), grant_type: 'password' }),
    'unsupported_grant_type',
  ],
  ['MS §5.3.1', 'an unsigned request', () => push({ response_mode: 'jwt' }, { as: signing }), 'invalid_request'],
  ['MS §5.3.1', 'a request object without nbf', () => pushObject({ nbf: undefined }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object without exp', () => pushObject({ exp: undefined }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object without aud', () => pushObject({ aud: undefined }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object for another', () => pushObject({ aud: 'https://other.example' }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object that lives for two hours', () => pushObject({ exp: seconds() + 7200 }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object of two hours ago', () => pushObject({ nbf: seconds() - 7200, exp: seconds() - 3600 }), 'invalid_request_object'],
  ['MS §5.3.1', 'a request object that begins before an hour ago', () => pushObject({ nbf: seconds() - 3660, exp: seconds() - 60 }), 'invalid_request_object'],
  ['SP §5.3.2.1 (13)', 'a request object of the future', () => pushObject({ nbf: seconds() + 75, exp: seconds() + 120 }), 'invalid_request_object'],
  ['RFC 9101 §6.3', 'a request object by another key', async () => pushObject({}, await makeKeys()), 'invalid_request_object'],
  ['SP §5.4.1', 'a request object signed RS256', async () => pushObject({}, signing.weakKeys), 'invalid_request_object'],
  ['RFC 9101 §6.3', 'a request object of another client', () => pushObject({ iss: own.clientId, client_id: own.clientId }), 'invalid_request_object'],
  ['MS §5.4.1', 'an answer in the clear', () => pushObject({ response_mode: 'query' }), 'invalid_request'],
  ['MS §5.4.1', 'no word on how to answer', () => pushObject({ response_mode: undefined }), 'invalid_request'],
]
const pushProof = async (proof: string, thumbprint?: string) =>
  post(`${server.issuer}/oauth2/par`, { ...asked, ...(await assertionOf(server, own)), dpop_jkt: thumbprint }, { dpop: proof })

for (const [section, title, refused, error] of refusals)
  test(`refused by ${section}: ${title}`, async t => {
    const { status, json } = await refused()
    t.is(json.error, error, JSON.stringify(json))
    t.true(status === 400 || status === 401, String(status))
  })

test('an assertion that is ten seconds ahead is taken (§5.3.2.1 (13)), and a pushed request lives for less than ten minutes (§5.3.2.2 (12))', async t => {
  const { status, json } = await push({}, { claims: { iat: seconds() + 9, nbf: seconds() + 9 } })
  t.is(status, 201, JSON.stringify(json))
  t.true(Number(json.expires_in) < 600)
})

test('what was not pushed is refused (§5.3.2.2 (3)), and no answer is a 307 (§5.3.2.2 (10))', async t => {
  const { url } = await own.request({ prompt: 'none' })
  const answer = await createPerson().get(url)
  t.is(answer.status, 303)
  t.is(answer.location?.searchParams.get('error'), 'invalid_request')
  t.is(answer.location?.searchParams.get('iss'), server.issuer)
})

test('a code is bound to the key that pushed its request (§5.3.2.1 (12)), and is taken once (§5.3.2.2 (9))', async t => {
  const [DPoP, other] = await Promise.all([binding(own), binding(own)])
  const made = await own.request({ scope: 'openid' })
  const parameters = new URLSearchParams([...made.url.searchParams].filter(([name]) => name !== 'client_id'))
  const url = await client.buildAuthorizationUrlWithPAR(own.configuration, parameters, { DPoP })
  const back = await createPerson().authorize(url, { ...alice, redirectUri: safeRedirectUri })
  t.is(await refusal(client.authorizationCodeGrant(own.configuration, back, made.checks, undefined, { DPoP: other })), 'invalid_grant')
  t.is(await refusal(client.authorizationCodeGrant(own.configuration, back, made.checks, undefined, { DPoP })), 'invalid_grant')
})

test('nothing is issued to a client of the profile without a proof (§5.3.2.1 (4))', async t => {
  const made = await own.request({ scope: 'openid' })
  const parameters = new URLSearchParams([...made.url.searchParams].filter(([name]) => name !== 'client_id'))
  const url = await client.buildAuthorizationUrlWithPAR(own.configuration, parameters)
  const back = await createPerson().authorize(url, { ...alice, redirectUri: safeRedirectUri })
  t.is(await refusal(client.authorizationCodeGrant(own.configuration, back, made.checks)), 'invalid_grant')
  // It was the proof that was missing: the code is good, and is good for nothing else.
  t.is((await client.authorizationCodeGrant(own.configuration, back, made.checks, undefined, { DPoP: await binding(own) })).token_type, 'dpop')
})

test('a client of the profile that registered another algorithm signs by that one alone', async t => {
  const keys = await makeKeys('PS256')
  const relyingParty = await makeProfiled(server, { metadata: { jwks: await jwksOf(keys), token_endpoint_auth_signing_alg: 'PS256' } })
  t.is((await push({}, { as: { ...relyingParty, keys } })).status, 201)
  t.is((await push({}, { as: relyingParty })).json.error, 'invalid_client')
})
