// The JWT bearer grant (RFC 7523 §2.1): a service account's own assertion, once, for what client credentials would give.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt, type JWTPayload } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeKey } from '../support/agents.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { introspect, makeResource } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let resource: string
let account: Awaited<ReturnType<typeof makeAccount>>
test.before(async () => {
  server = await startServer()
  resource = await makeResource(server)
  account = await makeAccount()
})
test.after.always(() => server?.close())

const makeAccount = async (alg = 'ES256', given: Parameters<typeof makeClient>[1] = {}) => {
  const key = await makeKey(alg)
  const made = await makeClient(server, { isFirstParty: false, grantTypes: [jwtBearer], metadata: { jwks: key.jwks }, ...given })
  return { ...made, key }
}
const ask = async (claims: JWTPayload = {}, more: Record<string, string> = {}) =>
  client.genericGrantRequest(account.configuration, jwtBearer, { assertion: await assertionOf(server, account, claims), ...more })
const now = () => Math.floor(Date.now() / 1000)

for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA'])
  test(`an assertion signed with ${alg} gets the token that client credentials would get`, async t => {
    const own = await makeAccount(alg, { grantTypes: [jwtBearer, 'client_credentials'] })
    const parameters = { resource, scope: 'read write' }
    const assertion = await assertionOf(server, own)
    const tokens = await client.genericGrantRequest(own.configuration, jwtBearer, { assertion, ...parameters })
    const same = await client.clientCredentialsGrant(own.configuration, parameters)
    const strip = ({ iat: _iat, exp: _exp, jti: _jti, ...rest }: JWTPayload) => rest
    t.deepEqual(strip(decodeJwt(tokens.access_token)), strip(decodeJwt(same.access_token)))
    t.is(decodeJwt(tokens.access_token).sub, own.clientId)
    t.is(tokens.refresh_token, undefined)
    t.is(tokens.scope, same.scope)
    const told = await introspect(own, tokens.access_token)
    t.true(told.active)
    t.is(told.client_id, own.clientId)
  })

test('a public client of oauth4webapi is known by its assertion alone', async t => {
  const own = await makeAccount('ES256', { authenticationMethod: 'none' })
  const as = own.configuration.serverMetadata() as oauth.AuthorizationServer
  const assertion = await assertionOf(server, own, { aud: as.token_endpoint })
  const asking = { client_id: own.clientId }
  const options = { [oauth.allowInsecureRequests]: true }
  const response = await oauth.genericTokenEndpointRequest(as, asking, oauth.None(), jwtBearer, { assertion }, options)
  const tokens = await oauth.processGenericTokenEndpointResponse(as, asking, response)
  t.true((await introspect(own, tokens.access_token)).active)
})

const refused: Record<string, () => JWTPayload> = {
  'of another issuer': () => ({ iss: 'somebody-else' }),
  'about a person': () => ({ sub: randomUUID() }),
  'without a subject': () => ({ sub: undefined }),
  'for another audience': () => ({ aud: 'https://other.example' }),
  'for nobody': () => ({ aud: undefined }),
  'without an expiry': () => ({ exp: undefined }),
  'whose expiry is no number': () => ({ exp: 'soon' as never }),
  'that has expired': () => ({ exp: now() - 30 }),
  'that lives longer than five minutes': () => ({ exp: now() + 400 }),
  'that begins later': () => ({ nbf: now() + 120 }),
  'that was made later': () => ({ iat: now() + 120 }),
  'without a jti': () => ({ jti: undefined }),
  'with an empty jti': () => ({ jti: '' }),
}
for (const [name, claims] of Object.entries(refused))
  test(`an assertion ${name} is invalid_grant`, async t => {
    t.is(await refusal(ask(claims())), 'invalid_grant')
  })

test('an assertion within the clock tolerance, and for the token endpoint among others, is taken', async t => {
  await t.notThrowsAsync(ask({ iat: now() + 5, nbf: now() + 5, aud: [`${server.issuer}/oauth2/token`, 'https://other.example'] }))
})

test('an assertion signed by another key, by none, or by no algorithm that is accepted, is invalid_grant', async t => {
  const other = await makeKey()
  const [header, payload, signature] = (await assertionOf(server, account)).split('.')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  const assertions = [
    await assertionOf(server, { clientId: account.clientId, key: other }),
    `${header}.${payload}.${[...(signature ?? '')].reverse().join('')}`,
    none,
    'not a jwt',
    'a.b.c',
  ]
  for (const assertion of assertions) t.is(await refusal(client.genericGrantRequest(account.configuration, jwtBearer, { assertion })), 'invalid_grant')
  t.is(await refusal(client.genericGrantRequest(account.configuration, jwtBearer, {})), 'invalid_request')
})

test('claims that no store could keep as they are, or that are beyond any calendar, are answered without a failure', async t => {
  const strange: JWTPayload[] = [
    { jti: 'a\0b' },
    { jti: '\ud800' },
    { jti: 'x'.repeat(300) },
    { exp: 1e300 },
    { exp: -1 },
    { aud: [] },
    { nbf: 'now' as never },
  ]
  for (const claims of strange) {
    const answer = await ask(claims).catch(error => error)
    if (answer instanceof Error) t.is(await refusal(Promise.reject(answer)), 'invalid_grant', JSON.stringify(claims))
    else t.truthy(answer.access_token)
  }
})

test('a key that a client withdrew signs nothing any more', async t => {
  const own = await makeAccount()
  const next = await makeKey()
  await server.services.clientAdministration.update(systemActor, { id: own.clientId }, { metadata: { jwks: next.jwks } })
  const assertion = await assertionOf(server, own)
  t.is(await refusal(client.genericGrantRequest(own.configuration, jwtBearer, { assertion })), 'invalid_grant')
  const signed = await assertionOf(server, { clientId: own.clientId, key: next })
  t.truthy((await client.genericGrantRequest(own.configuration, jwtBearer, { assertion: signed })).access_token)
})

test('an assertion is taken once: of twenty that present it at the same time one wins', async t => {
  const assertion = await assertionOf(server, account)
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => client.genericGrantRequest(account.configuration, jwtBearer, { assertion })))
  t.is(answers.filter(({ status }) => status === 'fulfilled').length, 1)
  t.is(await refusal(client.genericGrantRequest(account.configuration, jwtBearer, { assertion })), 'invalid_grant')
})

test('an assertion of another client, and that of a client that is disabled, gets nothing', async t => {
  const other = await makeAccount()
  t.is(await refusal(client.genericGrantRequest(account.configuration, jwtBearer, { assertion: await assertionOf(server, other) })), 'invalid_grant')
  await server.services.clientAdministration.update(systemActor, { id: other.clientId }, { isDisabled: true })
  t.is(await refusal(client.genericGrantRequest(other.configuration, jwtBearer, { assertion: await assertionOf(server, other) })), 'invalid_client')
})

test('a resource server that is for listed clients alone refuses the others, as for client credentials', async t => {
  t.is(await refusal(ask({}, { resource: await makeResource(server, { clientAccess: 'listed' }) })), 'invalid_target')
})

test('a client without the grant type is refused, and nobody registers with it', async t => {
  const without = await makeClient(server, { isFirstParty: false, grantTypes: ['client_credentials'] })
  const assertion = await assertionOf(server, { clientId: without.clientId, key: account.key })
  t.is(await refusal(client.genericGrantRequest(without.configuration, jwtBearer, { assertion })), 'unauthorized_client')
  const initial = await new (server.app.protocol.engine.current().InitialAccessToken)({}).save()
  const body = { client_name: 'X', redirect_uris: ['https://app.example/callback'], grant_types: ['authorization_code', jwtBearer], jwks: account.key.jwks }
  const headers = { authorization: `Bearer ${initial}`, 'content-type': 'application/json' }
  const response = await fetch(`${server.issuer}/oauth2/register`, { method: 'POST', headers, body: JSON.stringify(body) })
  t.is(((await response.json()) as { error: string }).error, 'invalid_client_metadata')
})
