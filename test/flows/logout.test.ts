// Signing out: asked where it must be, ends what was bound to the session, leaves what was not, and tells the other clients.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

const home = 'http://localhost:4000/'
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const makeSignedIn = async ({ parameters = {}, ...made }: Parameters<typeof makeClient>[1] & { parameters?: Record<string, string> } = {}) => {
  const relyingParty = await makeClient(server, { postLogoutRedirectUris: [home], ...made })
  const who = await makeUser(server)
  return { relyingParty, who, ...(await relyingParty.signIn({ who, parameters })) }
}
const isActive = async ({ configuration }: TestClient, token: string | undefined) => (await client.tokenIntrospection(configuration, token ?? '')).active
const isSignedIn = async (person: Person, relyingParty: TestClient) =>
  (await person.get((await relyingParty.request({ prompt: 'none' })).url)).location?.searchParams.has('code')
/** Opens the logout address and answers yes where asked. */
const signOut = async (person: Person, relyingParty: TestClient, parameters: Record<string, string> = {}) => {
  const page = await person.follow(await person.get(client.buildEndSessionUrl(relyingParty.configuration, parameters)), home)
  return person.follow(page.body.includes('name="logout"') ? await person.submit(page, { logout: 'yes' }) : page, home)
}

test('a client signs a person out and gets them back with its state', async t => {
  const { relyingParty, person, tokens } = await makeSignedIn()
  const back = await signOut(person, relyingParty, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: home, state: 'kept' })
  t.is(back.location?.href, `${home}?state=kept`)
  t.false(await isSignedIn(person, relyingParty))
})

test('what was issued in a session ends with it', async t => {
  const { relyingParty, person, tokens } = await makeSignedIn()
  await signOut(person, relyingParty)
  t.is(await refusal(client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')), 'invalid_grant')
  t.is(await refusal(client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)), 'invalid_token')
  t.false(await isActive(relyingParty, tokens.access_token))
  t.false(await isActive(relyingParty, tokens.refresh_token))
})

test('offline access outlives the session it was given in', async t => {
  const { relyingParty, person, tokens } = await makeSignedIn({ parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  await signOut(person, relyingParty)
  t.false(await isSignedIn(person, relyingParty))
  t.truthy((await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')).refresh_token)
})

test('offline access given in one browser outlives signing out in another', async t => {
  const { relyingParty, who, tokens } = await makeSignedIn({ parameters: { scope: 'openid offline_access', prompt: 'consent' } })
  const { person } = await relyingParty.signIn({ who })
  await signOut(person, relyingParty)
  t.truthy((await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')).refresh_token)
})

test('signing out in one browser leaves the other signed in', async t => {
  const { relyingParty, who, person, tokens } = await makeSignedIn()
  const other = await relyingParty.signIn({ who })
  await signOut(other.person, relyingParty)
  t.true(await isSignedIn(person, relyingParty))
  t.truthy((await client.refreshTokenGrant(relyingParty.configuration, tokens.refresh_token ?? '')).refresh_token)
})

test('consent is remembered over signing out', async t => {
  const { relyingParty, who, person } = await makeSignedIn({ isFirstParty: false })
  await signOut(person, relyingParty)
  const { url } = await relyingParty.request()
  const back = await createPerson().authorize(url, { ...who, redirectUri: 'http://localhost:4000/callback', decision: 'deny' })
  t.is(back.searchParams.get('error'), null)
})

test('without a hint a person is asked, and may stay signed in', async t => {
  const { relyingParty, person } = await makeSignedIn()
  const page = await person.get(`${server.issuer}/oauth2/logout`)
  t.is(page.status, 200)
  t.true(page.body.includes('name="logout"'))
  t.true(await isSignedIn(person, relyingParty))
  const done = await person.follow(await person.submit(page, { logout: 'yes' }), home)
  t.is(done.status, 200)
  t.false(await isSignedIn(person, relyingParty))
})

test('signing out cannot be forged by another site', async t => {
  const { relyingParty, person } = await makeSignedIn()
  await person.get(`${server.issuer}/oauth2/logout`)
  const forged = await person.post(new URL(`${server.issuer}/oauth2/logout/confirm`), { xsrf: 'forged', logout: 'yes' })
  t.is(forged.status, 400)
  t.true(await isSignedIn(person, relyingParty))
})

test('an address that is not registered is not followed', async t => {
  const { relyingParty, person, tokens } = await makeSignedIn()
  const elsewhere = { post_logout_redirect_uri: 'https://elsewhere.example/' }
  const hinted = await person.get(client.buildEndSessionUrl(relyingParty.configuration, { ...elsewhere, id_token_hint: tokens.id_token ?? '' }))
  t.is(hinted.status, 400)
  // It is told of signing out, not of signing in.
  t.true(hinted.body.includes('This request to sign you out is not valid'))
  const done = await signOut(person, relyingParty, { ...elsewhere, client_id: '' })
  t.is(done.url.origin, server.issuer)
})

test('a client with a back-channel is told which session ended', async t => {
  const received: string[] = []
  const receiver = createServer(async (request, response) => {
    received.push(Buffer.concat(await request.toArray()).toString())
    response.end()
  }).listen(0, 'localhost')
  await once(receiver, 'listening')
  t.teardown(() => receiver.close())
  const uri = `http://localhost:${(receiver.address() as AddressInfo).port}/logout`
  const told = await makeClient(server, { metadata: { backchannel_logout_uri: uri, backchannel_logout_session_required: true } })
  const { relyingParty, person } = await makeSignedIn()
  const made = await told.request()
  const answer = await person.get(made.url)
  const claims = (await client.authorizationCodeGrant(told.configuration, answer.location as URL, made.checks)).claims()
  t.truthy(claims?.sid)

  await signOut(person, relyingParty)
  await until(() => received.length > 0, 5)
  const token = new URLSearchParams(received[0]).get('logout_token') ?? ''
  const jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  const { payload } = await jwtVerify(token, jwks, { issuer: server.issuer, audience: told.clientId, typ: 'logout+jwt' })
  t.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  t.is(payload.sid, claims?.sid)
  t.is(payload.sub, claims?.sub)
  t.is(payload.nonce, undefined)
  t.is(typeof payload.jti, 'string')
  t.is(received.length, 1)
})

test('with two tabs that ask the same, the older signs out too', async t => {
  const { relyingParty, person } = await makeSignedIn()
  const address = client.buildEndSessionUrl(relyingParty.configuration, { post_logout_redirect_uri: home, state: 'kept' })
  const first = await person.get(address)
  await person.get(address)
  await person.get(`${server.issuer}/device`)
  t.is((await person.submit(first, { logout: 'yes' })).location?.href, `${home}?state=kept`)
  t.false(await isSignedIn(person, relyingParty))
})

test('with two tabs for two clients, the older has expired and asks again for the newer', async t => {
  const { relyingParty, person } = await makeSignedIn()
  const other = await makeClient(server, { name: 'The Other', postLogoutRedirectUris: [`${home}other`] })
  const first = await person.get(client.buildEndSessionUrl(relyingParty.configuration, { post_logout_redirect_uri: home }))
  await person.get(client.buildEndSessionUrl(other.configuration, { post_logout_redirect_uri: `${home}other` }))

  const expired = await person.submit(first, { logout: 'yes' })
  t.is(expired.status, 400)
  t.true(expired.body.includes('This form has expired'))
  t.true(expired.body.includes('The Other'))
  t.false(expired.body.includes('data-automatic'))
  t.true(await isSignedIn(person, relyingParty))
  t.is((await person.submit(expired, { logout: 'yes' })).location?.href, `${home}other`)
  t.false(await isSignedIn(person, relyingParty))
})

test('a form of signing out that was sent before is answered by what is so', async t => {
  const { relyingParty, person } = await makeSignedIn()
  const first = await person.get(client.buildEndSessionUrl(relyingParty.configuration, {}))
  const second = await person.get(client.buildEndSessionUrl(relyingParty.configuration, {}))
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(first.body)?.[1] ?? ''
  const stay = () => person.post(new URL(`${server.issuer}/oauth2/logout/confirm`), { xsrf })
  await stay()
  t.regex((await person.follow(await stay(), home)).body, /You are still signed in/)
  const asked = await person.follow(await person.submit(second, { logout: 'yes' }), home)
  t.true(asked.body.includes('name="logout"'))
  await person.submit(asked, { logout: 'yes' })
  t.regex((await person.follow(await person.submit(asked, { logout: 'yes' }), home)).body, /You are signed out/)
})
