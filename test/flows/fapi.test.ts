// FAPI 2.0: a client that has the profile goes its way with an unmodified relying party, and every other way is closed to it.
import test from 'ava'
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import * as client from 'openid-client'
import { refusal } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { assertionOf, jwksOf, makeKeys, makeProfiled, type Profiled, post, proofOf, safeRedirectUri, sign } from '../support/protected-clients.ts'
import { alice } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let own: Profiled
let signing: Profiled
test.before(async () => {
  server = await startServer()
  own = await makeProfiled(server)
  signing = await makeProfiled(server, { securityProfile: 'fapi2_message_signing' })
})
test.after.always(() => server?.close())

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
