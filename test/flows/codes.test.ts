// Codes and the refresh tokens they give: a code for one client, one redirect URI, one verifier, one use; refresh tokens
// rotated, forgiving an honest retry, merciless with a replay (RFC 9700 §4.14).
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { alice, bob, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let person: Person
test.before(async () => {
  server = await startServer()
  person = (await (await makeClient(server)).signIn({ who: alice })).person
})
test.after.always(() => server?.close())

/** A fresh code, and what redeems it. */
const authorize = async (relyingParty: Awaited<ReturnType<typeof makeClient>>, parameters: Record<string, string> = {}) => {
  const made = await relyingParty.request(parameters)
  const back = (await person.follow(await person.get(made.url), redirectUri)).location ?? redirectUri
  return { ...made, back: back as URL, redeem: () => client.authorizationCodeGrant(relyingParty.configuration, back as URL, made.checks) }
}

test('ID tokens of a refresh say what the first said, but for the nonce of its request (OpenID Connect Core §12.2)', async t => {
  const relyingParty = await makeClient(server)
  const { tokens } = await relyingParty.signIn()
  const first = await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')
  const second = await client.refreshTokenGrant(relyingParty.configuration, first.refresh_token ?? '')
  const { sub, iss, aud, auth_time: authTime } = tokens.claims() ?? {}
  t.truthy(tokens.claims()?.nonce)
  for (const one of [first, second]) {
    t.like(one.claims(), { sub, iss, aud, auth_time: authTime })
    t.false('nonce' in (one.claims() ?? {}))
  }
})

test('a code is refused the second time, and what it gave ends', async t => {
  const relyingParty = await makeClient(server)
  const { redeem } = await authorize(relyingParty)
  const tokens = await redeem()
  t.is(await refusal(redeem()), 'invalid_grant')
  t.is(await refusal(client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)), 'invalid_token')
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
  t.false((await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)).active)
  const again = await authorize(relyingParty)
  t.truthy((await again.redeem()).access_token)
})

test('of many redemptions at the same moment at most one is answered, and none of it lives', async t => {
  const relyingParty = await makeClient(server)
  const { redeem } = await authorize(relyingParty)
  const settled = await Promise.allSettled([1, 2, 3, 4].map(() => redeem()))
  const answered = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  t.true(answered.length <= 1)
  for (const { access_token } of answered) t.false((await client.tokenIntrospection(relyingParty.configuration, access_token)).active)
})

test('a replayed code in one browser leaves the same person’s other browser signed in', async t => {
  const relyingParty = await makeClient(server)
  const other = await relyingParty.signIn({ who: alice })
  const { redeem } = await authorize(relyingParty)
  await redeem()
  t.is(await refusal(redeem()), 'invalid_grant')
  t.truthy((await client.refreshTokenGrant(relyingParty.configuration, other.tokens.refresh_token ?? '')).access_token)
})

test('a code is nothing with another verifier, another redirect URI or another client', async t => {
  const [own, other] = await Promise.all([makeClient(server), makeClient(server)])
  const wrongVerifier = await authorize(own)
  const checks = { ...wrongVerifier.checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }
  t.is(await refusal(client.authorizationCodeGrant(own.configuration, wrongVerifier.back, checks)), 'invalid_grant')
  const foreign = await authorize(own)
  t.is(await refusal(client.authorizationCodeGrant(other.configuration, foreign.back, foreign.checks)), 'invalid_grant')
  const moved = await authorize(own)
  const parameters = { code: moved.back.searchParams.get('code') ?? '', code_verifier: moved.verifier, redirect_uri: 'http://localhost:4000/other' }
  t.is(await refusal(client.genericGrantRequest(own.configuration, 'authorization_code', parameters)), 'invalid_grant')
})

test('PKCE is asked of every client, S256 only, unless a confidential one is let off', async t => {
  const [own, letOff, open] = await Promise.all([
    makeClient(server),
    makeClient(server, { isPkceRequired: false }),
    makeClient(server, { authenticationMethod: 'none', isPkceRequired: false }),
  ])
  const errorWithout = async (relyingParty: typeof own, change: (url: URL) => void) => {
    const { url } = await relyingParty.request({ prompt: 'none' })
    change(url)
    return (await person.get(url)).location?.searchParams.get('error')
  }
  const strip = (url: URL) => ['code_challenge', 'code_challenge_method'].forEach(name => void url.searchParams.delete(name))
  const weaken = (url: URL) => url.searchParams.set('code_challenge_method', 'plain')
  t.is(await errorWithout(own, strip), 'invalid_request')
  t.is(await errorWithout(open, strip), 'invalid_request')
  t.is(await errorWithout(letOff, strip), null)
  for (const relyingParty of [own, open, letOff]) t.is(await errorWithout(relyingParty, weaken), 'invalid_request')
})

test('a request whose client or redirect URI is unknown is told to the person and goes nowhere', async t => {
  const relyingParty = await makeClient(server)
  for (const [name, value] of [
    ['client_id', 'no-such-client'],
    ['redirect_uri', 'http://localhost:4000/callback/'],
    ['redirect_uri', 'https://elsewhere.example/'],
  ] as const) {
    const { url } = await relyingParty.request()
    url.searchParams.set(name, value)
    const answer = await createPerson().get(url)
    t.is(answer.status, 400, value)
    t.is(answer.location, undefined)
  }
})

test('a response type that is switched off goes back as unsupported_response_type', async t => {
  const relyingParty = await makeClient(server)
  for (const responseType of ['token', 'id_token', 'code id_token']) {
    const { url } = await relyingParty.request({ response_type: responseType })
    const answer = await createPerson().get(url)
    t.regex(answer.location?.href ?? '', /[?#&]error=(unsupported_response_type|unauthorized_client|invalid_request)/, responseType)
  }
})

test('a native client’s loopback redirect URI may have any port (RFC 8252 §7.3)', async t => {
  const native = await makeClient(server, {
    authenticationMethod: 'none',
    redirectUris: ['http://127.0.0.1/callback'],
    metadata: { application_type: 'native' },
  })
  const who = await makeUser(server)
  const { url, checks } = await native.request({ redirect_uri: 'http://127.0.0.1:51004/callback' })
  const back = await createPerson().authorize(url, { ...who, redirectUri: 'http://127.0.0.1:51004/callback' })
  t.truthy((await client.authorizationCodeGrant(native.configuration, back, checks)).access_token)
})

const offline = { scope: 'openid email offline_access', prompt: 'consent' }
const refresh = ({ configuration }: TestClient, token: string | undefined, parameters: Record<string, string> = {}) =>
  client.refreshTokenGrant(configuration, token ?? '', parameters)
const isActive = async ({ configuration }: TestClient, token: string | undefined) => (await client.tokenIntrospection(configuration, token ?? '')).active
const userinfo = ({ configuration }: TestClient, token: string) => client.fetchUserInfo(configuration, token, client.skipSubjectCheck)

test('a refresh token is answered with new tokens and its successor', async t => {
  const relyingParty = await makeClient(server)
  const { tokens } = await relyingParty.signIn()
  const second = await refresh(relyingParty, tokens.refresh_token)
  t.not(second.refresh_token, tokens.refresh_token)
  t.not(second.access_token, tokens.access_token)
  t.is(second.claims()?.sub, tokens.claims()?.sub)
  t.is(second.claims()?.auth_time, tokens.claims()?.auth_time)
  t.is((await userinfo(relyingParty, second.access_token)).email, bob.email)
  t.truthy((await refresh(relyingParty, second.refresh_token)).refresh_token)
})

test('a client that is not registered for refresh tokens gets none', async t => {
  const relyingParty = await makeClient(server, { grantTypes: ['authorization_code'] })
  const { tokens } = await relyingParty.signIn({ parameters: offline })
  t.is(tokens.refresh_token, undefined)
})

test('a retry within the grace is answered with the same successor, also when many come at once', async t => {
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 30 })
  const { tokens } = await relyingParty.signIn()
  const raced = await Promise.all([1, 2, 3, 4].map(() => refresh(relyingParty, tokens.refresh_token)))
  const late = await refresh(relyingParty, tokens.refresh_token)
  const successors = new Set([...raced, late].map(({ refresh_token }) => refresh_token))
  t.is(successors.size, 1)
  t.truthy((await refresh(relyingParty, late.refresh_token)).access_token)
  for (const { access_token } of raced) t.true(await isActive(relyingParty, access_token))
})

test('a rotated token is told of as inactive and is not found by revocation, even within the grace', async t => {
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 30 })
  const { tokens } = await relyingParty.signIn()
  const second = await refresh(relyingParty, tokens.refresh_token)
  t.false(await isActive(relyingParty, tokens.refresh_token))
  t.true(await isActive(relyingParty, second.refresh_token))
})

test('without a grace a replay is refused and ends the whole family', async t => {
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 0 })
  const { tokens } = await relyingParty.signIn()
  const second = await refresh(relyingParty, tokens.refresh_token)
  t.true(await isActive(relyingParty, second.access_token))
  t.is(await refusal(refresh(relyingParty, tokens.refresh_token)), 'invalid_grant')
  t.is(await refusal(refresh(relyingParty, second.refresh_token)), 'invalid_grant')
  for (const { access_token } of [tokens, second]) {
    t.false(await isActive(relyingParty, access_token))
    t.is(await refusal(userinfo(relyingParty, access_token)), 'invalid_token')
  }
})

test('of two redemptions at the same moment without a grace at most one is answered, and none of it lives', async t => {
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 0 })
  const { tokens } = await relyingParty.signIn()
  const settled = await Promise.allSettled([1, 2, 3].map(() => refresh(relyingParty, tokens.refresh_token)))
  const answered = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  t.true(answered.length <= 1)
  for (const { access_token } of answered) t.false(await isActive(relyingParty, access_token))
})

test('a replay in one browser leaves the same person’s other browser signed in', async t => {
  const relyingParty = await makeClient(server, { refreshGraceSeconds: 0 })
  const who = await makeUser(server)
  const [stolen, other] = await Promise.all([relyingParty.signIn({ who }), relyingParty.signIn({ who })])
  await refresh(relyingParty, stolen.tokens.refresh_token)
  t.is(await refusal(refresh(relyingParty, stolen.tokens.refresh_token)), 'invalid_grant')
  t.truthy((await refresh(relyingParty, other.tokens.refresh_token)).access_token)
})

test('scopes may be narrowed for one answer and are never widened', async t => {
  const relyingParty = await makeClient(server)
  const { tokens } = await relyingParty.signIn({ parameters: { scope: 'openid email' } })
  const narrow = await refresh(relyingParty, tokens.refresh_token, { scope: 'openid' })
  t.is(narrow.scope, 'openid')
  t.is((await userinfo(relyingParty, narrow.access_token)).email, undefined)
  const whole = await refresh(relyingParty, narrow.refresh_token)
  t.is((await userinfo(relyingParty, whole.access_token)).email, bob.email)
  t.is(await refusal(refresh(relyingParty, whole.refresh_token, { scope: 'openid email profile' })), 'invalid_scope')
})

test('a refresh token is nothing in the hands of another client', async t => {
  const [own, other] = await Promise.all([makeClient(server), makeClient(server)])
  const { tokens } = await own.signIn({ who: await makeUser(server) })
  t.is(await refusal(refresh(other, tokens.refresh_token)), 'invalid_grant')
  t.is(await refusal(refresh(own, 'no-such-token')), 'invalid_grant')
  t.truthy((await refresh(own, tokens.refresh_token)).access_token)
})

test('a public client refreshes without a secret', async t => {
  const relyingParty = await makeClient(server, { authenticationMethod: 'none' })
  const { tokens } = await relyingParty.signIn()
  t.truthy((await refresh(relyingParty, tokens.refresh_token)).refresh_token)
})
