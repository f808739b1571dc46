// The main journey: an unmodified relying-party library signs a person in against the hosted pages.
import test from 'ava'
import * as client from 'openid-client'
import { createPerson } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
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
