// oidcc-rp-initiated-logout-certification-test-plan: each module of the public plan by its name, by a double of ours.
import { generateKeyPairSync } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose'
import type { TestClient } from '../support/clients.ts'
import { endSession, isSignedOut, leadsBack, postLogoutRedirectUri, signedIn } from './sign-out.ts'
import { makeStatic, type Suite, startSuite } from './suite.ts'

let suite: Suite
let client: TestClient
test.before(async () => {
  suite = await startSuite()
  client = await makeStatic(suite.server, { postLogoutRedirectUris: [postLogoutRedirectUri] })
})
test.after.always(() => suite?.close())

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

test('oidcc-rp-initiated-logout-discovery-endpoint-verification', t => {
  const { end_session_endpoint: address, issuer } = suite.metadata
  t.is(new URL(address).origin, new URL(issuer).origin)
})

test('oidcc-rp-initiated-logout', t => comesBack(t, { request: whole, parameters: ({ state }) => ({ state }) }))

test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), post_logout_redirect_uri: `${postLogoutRedirectUri}_elsewhere` })))

test('oidcc-rp-initiated-logout-modified-id-token-hint', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), id_token_hint: new UnsecuredJWT(decodeJwt(signed.idToken)).encode() })))

test('oidcc-rp-initiated-logout-no-id-token-hint', t => isNotLedBack(t, ({ state }) => ({ post_logout_redirect_uri: postLogoutRedirectUri, state })))

test('oidcc-rp-initiated-logout-no-params', t => isToldHere(t, () => ({})))

test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', t => isToldHere(t, ({ idToken, state }) => ({ id_token_hint: idToken, state })))

test('oidcc-rp-initiated-logout-no-state', t =>
  comesBack(t, { request: ({ idToken }) => ({ id_token_hint: idToken, post_logout_redirect_uri: postLogoutRedirectUri }), parameters: () => ({}) }))

test('oidcc-rp-initiated-logout-only-state', t => isToldHere(t, ({ state }) => ({ state })))

test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', t =>
  isNotLedBack(t, signed => ({ ...whole(signed), post_logout_redirect_uri: `${postLogoutRedirectUri}?foo=bar` })))

test('oidcc-rp-initiated-logout-bad-id-token-hint', t =>
  isNotLedBack(t, async signed => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const forged = await new SignJWT(decodeJwt(signed.idToken)).setProtectedHeader({ alg: 'RS256', kid: 'of-the-suite' }).sign(privateKey)
    return { ...whole(signed), id_token_hint: forged }
  }))
