// The certification plans Basic, Form Post Basic, Config, RP-Initiated and Back-Channel Logout: each module by its public name, by a double of ours.
import { generateKeyPairSync } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose'
import type { TestClient } from '../support/clients.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { startServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { verifyKeys } from './conditions.ts'
import { basicPlan } from './modules/basic.ts'
import { endSession, isSignedOut, leadsBack, postLogoutRedirectUri, signedIn } from './sign-out.ts'
import { makeStatic, type Suite, startSuite } from './suite.ts'

let suite: Suite
let formPost: Suite
let client: TestClient
test.before(async () => {
  const server = await startServer()
  suite = await startSuite({ server })
  formPost = await startSuite({ server, responseMode: 'form_post' })
  client = await makeStatic(server, { postLogoutRedirectUris: [postLogoutRedirectUri] })
})
test.after.always(() => suite?.close())

// oidcc-basic-certification-test-plan
for (const { name, run } of basicPlan) test(name, t => run(t, suite))

// oidcc-formpost-basic-certification-test-plan
// In turn: all at once would be more sign-ins from one address than it has left while none of them has ended.
for (const { name, run } of basicPlan) test.serial(`${name}, form_post`, t => run(t, formPost))

// oidcc-config-certification-test-plan
const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const includesAll = (value: unknown, wanted: readonly string[]) => wanted.every(one => listOf(value).includes(one))

test('oidcc-discovery-endpoint-verification', async t => {
  const { issuer } = suite.metadata
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  // OpenID Connect Discovery 1.0 §4.2, §4.3
  t.is(response.status, 200)
  t.regex(response.headers.get('content-type') ?? '', /^application\/json\b/)
  const metadata = (await response.json()) as Record<string, unknown> & Suite['metadata']
  t.is(metadata.issuer, issuer)
  // RFC 8414 §2
  const { search, hash, username } = new URL(issuer)
  t.is(search + hash + username, '')
  // Discovery §3; without dynamic registration for everybody no more than `code` has to be offered.
  t.true(includesAll(metadata.response_types_supported, ['code']))
  t.true(includesAll(metadata.subject_types_supported, ['public']))
  t.true(includesAll(metadata.id_token_signing_alg_values_supported, ['RS256']))
  t.true(listOf(metadata.userinfo_signing_alg_values_supported).length > 0)
  t.true(includesAll(metadata.request_object_signing_alg_values_supported, ['RS256']))
  t.true(includesAll(metadata.grant_types_supported, ['authorization_code']))
  t.true(includesAll(metadata.scopes_supported, ['openid']))
  t.true(includesAll(metadata.claims_supported, ['sub']))
  t.is(typeof metadata.claims_parameter_supported, 'boolean')
  t.is(typeof metadata.request_parameter_supported, 'boolean')
  // RFC 6749 §3.3: what a scope is written with.
  for (const scope of listOf(metadata.scopes_supported)) t.regex(scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
  // BCP 47: canonically written.
  for (const locale of listOf(metadata.ui_locales_supported)) t.is(Intl.getCanonicalLocales(locale)[0], locale)
  // RFC 8414 §2, RFC 7636 §4.3
  t.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
  // Every endpoint is where the issuer is, so it is https where that is.
  const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri')
  t.true(endpoints.length >= 6)
  for (const [name, address] of endpoints) t.is(new URL(String(address)).origin, new URL(issuer).origin, name)
  for (const name of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'registration_endpoint', 'jwks_uri']) t.true(name in metadata, name)
  await verifyKeys(t, metadata)
})

// oidcc-rp-initiated-logout-certification-test-plan
type Signed = Awaited<ReturnType<typeof signedIn>>
type Request = (signed: Signed) => Record<string, string> | Promise<Record<string, string>>

const whole = ({ idToken, state }: Signed) => ({ id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri, state })

/** The person comes back to the client with these parameters and is signed out. */
const comesBack = async (t: ExecutionContext, { request, parameters }: { request: Request; parameters: (signed: Signed) => Record<string, string> }) => {
  const signed = await signedIn(t, suite, client)
  const { answered } = await endSession(suite, signed.person, await request(signed))
  t.true(leadsBack(answered), `${answered.status}`)
  t.deepEqual(Object.fromEntries(answered.location?.searchParams ?? []), parameters(signed))
  t.true(await isSignedOut(t, suite, { person: signed.person, client }))
}

/** The server shows an error, or asks; and it never leads back. */
const isNotLedBack = async (t: ExecutionContext, request: Request) => {
  const signed = await signedIn(t, suite, client)
  const { shown, isAsked, answered } = await endSession(suite, signed.person, await request(signed))
  t.true(isAsked || shown.status === 400, `${shown.status}`)
  t.false(leadsBack(answered))
  if (!isAsked) t.false(await isSignedOut(t, suite, { person: signed.person, client }))
}

/** The server signs out, after asking where it does not know who sends, and says so on a page of its own. */
const isToldHere = async (t: ExecutionContext, request: Request) => {
  const signed = await signedIn(t, suite, client)
  const { answered } = await endSession(suite, signed.person, await request(signed))
  t.is(answered.status, 200)
  t.false(leadsBack(answered))
  t.regex(answered.body, /You are signed out/)
  t.true(await isSignedOut(t, suite, { person: signed.person, client }))
}

test.serial('oidcc-rp-initiated-logout-discovery-endpoint-verification', t => {
  const { end_session_endpoint: address, issuer } = suite.metadata
  t.is(new URL(address).origin, new URL(issuer).origin)
})

test.serial('oidcc-rp-initiated-logout', t => comesBack(t, { request: whole, parameters: ({ state }) => ({ state }) }))

test.serial('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), post_logout_redirect_uri: `${postLogoutRedirectUri}_elsewhere` })),
)

test.serial('oidcc-rp-initiated-logout-modified-id-token-hint', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), id_token_hint: new UnsecuredJWT(decodeJwt(signed.idToken)).encode() })),
)

test.serial('oidcc-rp-initiated-logout-no-id-token-hint', t => isNotLedBack(t, ({ state }) => ({ post_logout_redirect_uri: postLogoutRedirectUri, state })))

test.serial('oidcc-rp-initiated-logout-no-params', t => isToldHere(t, () => ({})))

test.serial('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', t => isToldHere(t, ({ idToken, state }) => ({ id_token_hint: idToken, state })))

test.serial('oidcc-rp-initiated-logout-no-state', t =>
  comesBack(t, { request: ({ idToken }) => ({ id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri }), parameters: () => ({}) }),
)

test.serial('oidcc-rp-initiated-logout-only-state', t => isToldHere(t, ({ state }) => ({ state })))

test.serial('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), post_logout_redirect_uri: `${postLogoutRedirectUri}?foo=bar` })),
)

test.serial('oidcc-rp-initiated-logout-bad-id-token-hint', t =>
  isNotLedBack(t, async signed => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const forged = await new SignJWT(decodeJwt(signed.idToken)).setProtectedHeader({ alg: 'RS256', kid: 'of-the-suite' }).sign(privateKey)
    return { ...whole(signed), id_token_hint: forged }
  }),
)

// oidcc-backchannel-rp-initiated-logout-certification-test-plan
test.serial('oidcc-backchannel-logout-discovery-endpoint-verification', t => {
  t.true(suite.metadata.backchannel_logout_supported)
  t.true(suite.metadata.backchannel_logout_session_supported)
  t.truthy(suite.metadata.end_session_endpoint)
})

test.serial('oidcc-backchannel-rp-initiated-logout', async t => {
  const receiver = await startLogoutReceiver()
  t.teardown(receiver.close)
  const metadata = { backchannel_logout_uri: receiver.uri, backchannel_logout_session_required: true }
  const client = await makeStatic(suite.server, { postLogoutRedirectUris: [postLogoutRedirectUri], metadata })
  const { person, claims, idToken, state } = await signedIn(t, suite, client)
  const parameters = { id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri, state }
  const { answered } = await endSession(suite, person, parameters)
  t.true(leadsBack(answered))
  t.deepEqual(Object.fromEntries(answered.location?.searchParams ?? []), { state })

  await until(() => receiver.posted.length > 0)
  t.deepEqual([...(receiver.posted[0]?.form.keys() ?? [])], ['logout_token'])
  const [token] = await receiver.tokens(suite.metadata.issuer, client.clientId)
  // Back-Channel Logout 1.0 §2.4
  t.deepEqual(token?.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.is(token?.sub, claims.sub)
  t.truthy(token?.sid)
  t.is(token?.sid, decodeJwt(idToken).sid)
  t.is(token?.nonce, undefined)
  t.true(await isSignedOut(t, suite, { person, client }))
})
