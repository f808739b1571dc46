// Refresh tokens: rotated, forgiving an honest retry, merciless with a replay (RFC 9700 §4.14).
import test from 'ava'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

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
