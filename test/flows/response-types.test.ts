// Implicit and hybrid flows (OpenID Connect Core §3.2, §3.3): switched on by the operator, for clients that are registered for them, without access tokens.
import test from 'ava'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson, type Person } from '../support/person.ts'
import { bob } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const back = 'https://app.example/callback'
const settings = { RESPONSE_TYPES: 'id_token, id_token code' }
const both = { grantTypes: ['authorization_code', 'refresh_token', 'implicit'], responseTypes: ['code', 'id_token', 'code id_token'], redirectUris: [back] }

let server: TestServer
let app: TestClient
let person: Person
test.before(async () => {
  server = await startServer({ settings })
  app = await makeClient(server, both)
  person = (await app.signIn()).person
})
test.after.always(() => server?.close())

/** Asks, and gives where the person comes back to. */
const ask = async (parameters: Record<string, string>, { of = app, without = [] }: { of?: TestClient; without?: readonly string[] } = {}) => {
  const made = await of.request(parameters)
  for (const name of without) made.url.searchParams.delete(name)
  const answer = await person.follow(await person.get(made.url), back)
  return { ...made, answer, location: answer.location as URL, told: new URLSearchParams(answer.location?.hash.slice(1)) }
}

test('the metadata tell what is switched on, and without a word nothing is', async t => {
  const read = async (issuer: string) => (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, string[]>
  const told = await read(server.issuer)
  t.deepEqual(told.response_types_supported, ['code', 'id_token', 'code id_token'])
  t.true(told.grant_types_supported?.includes('implicit'))
  const plain = await startServer()
  t.teardown(plain.close)
  const { response_types_supported: types, grant_types_supported: grants } = await read(plain.issuer)
  t.deepEqual(types, ['code'])
  t.false(grants?.includes('implicit'))
})

test('the implicit flow gives an ID token in the fragment, with the nonce and no access token (§3.2.2.5)', async t => {
  const { location, told, checks } = await ask({ response_type: 'id_token' })
  t.is(location.search, '')
  t.deepEqual([...told.keys()].sort(), ['id_token', 'state'])
  client.useIdTokenResponseType(app.configuration)
  const claims = await client.implicitAuthentication(app.configuration, location, checks.expectedNonce, { expectedState: checks.expectedState })
  t.like(claims, { aud: app.clientId, nonce: checks.expectedNonce, amr: ['pwd'] })
  t.is(claims.at_hash, undefined)
  // §5.4: there is no userinfo to ask for what the scopes name.
  t.is(claims.email, bob.email)
})

test('the hybrid flow gives a code and an ID token with its hash, and the code its tokens, once (§3.3.2.11)', async t => {
  const own = await makeClient(server, both)
  const { location, told, checks } = await ask({ response_type: 'code id_token' }, { of: own })
  t.truthy(decodeJwt(told.get('id_token') ?? '').c_hash)
  t.false(told.has('access_token'))
  client.useCodeIdTokenResponseType(own.configuration)
  const tokens = await client.authorizationCodeGrant(own.configuration, location, checks)
  t.is(tokens.claims()?.sub, decodeJwt(told.get('id_token') ?? '').sub)
  t.is(await refusal(client.authorizationCodeGrant(own.configuration, location, checks)), 'invalid_grant')
})

test('a form brings them too', async t => {
  const { answer } = await ask({ response_type: 'code id_token', response_mode: 'form_post' })
  t.is(answer.status, 200)
  for (const name of ['code', 'id_token', 'state']) t.true(answer.body.includes(`name="${name}"`), name)
})

for (const [what, parameters, without, error] of [
  ['without a nonce', { response_type: 'id_token' }, ['nonce'], 'invalid_request'],
  ['of both without a nonce', { response_type: 'code id_token' }, ['nonce'], 'invalid_request'],
  ['of both without a code challenge', { response_type: 'code id_token' }, ['code_challenge', 'code_challenge_method'], 'invalid_request'],
  ['without the scope openid', { response_type: 'id_token', scope: 'profile' }, [], 'invalid_request'],
  ['for an access token', { response_type: 'id_token token' }, [], 'unsupported_response_type'],
  ['for an access token alone', { response_type: 'token' }, [], 'unsupported_response_type'],
] as const)
  test(`a request ${what} is refused in the fragment`, async t => {
    const { location, told } = await ask(parameters, { without })
    t.is(told.get('error'), error, location.href)
    t.false(told.has('id_token') || told.has('code'))
  })

test('who is not signed in, and may not be asked, is told so in the fragment (§3.1.2.6)', async t => {
  for (const response_type of ['id_token', 'code id_token']) {
    const { url, checks } = await app.request({ response_type, prompt: 'none' })
    const told = new URLSearchParams((await createPerson().get(url)).location?.hash.slice(1))
    t.deepEqual([told.get('error'), told.get('state'), told.get('iss')], ['login_required', checks.expectedState, server.issuer])
  }
})

test('no token is put into a query', async t => {
  for (const response_type of ['id_token', 'code id_token']) {
    const { location } = await ask({ response_type, response_mode: 'query' })
    t.false(/id_token=|code=/.test(location.href), location.href)
  }
})

test('a client that is not registered for them is refused', async t => {
  const plain = await makeClient(server, { redirectUris: [back] })
  for (const response_type of ['id_token', 'code id_token']) t.truthy((await ask({ response_type }, { of: plain })).told.get('error'))
})

test('a client goes on with its codes where they are switched off again', async t => {
  const plain = await startServer()
  t.teardown(plain.close)
  const own = await makeClient(plain, both)
  t.truthy((await own.signIn()).tokens.id_token)
  const { url } = await own.request({ response_type: 'id_token' })
  t.is(new URLSearchParams((await createPerson().get(url)).location?.hash.slice(1)).get('error'), 'unsupported_response_type')
})

test('who registers with an initial access token may have them, and nobody else', async t => {
  const provider = server.app.protocol.engine.current()
  const register = async (token: string | undefined, changed: object = {}) => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }
    const body = JSON.stringify({ redirect_uris: [back], response_types: ['code id_token'], grant_types: ['authorization_code', 'implicit'], ...changed })
    const answer = await fetch(`${server.issuer}/oauth2/register`, { method: 'POST', headers, body })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const made = await register(await new provider.InitialAccessToken().save())
  t.like(made, { status: 201, body: { response_types: ['code id_token'], grant_types: ['authorization_code', 'implicit'] } })
  t.is((await register(await new provider.InitialAccessToken().save(), { response_types: ['code id_token token'] })).status, 400)
  for (const changed of [{}, { grant_types: ['authorization_code'] }]) t.is((await register(undefined, changed)).body.error, 'invalid_client_metadata')
})
