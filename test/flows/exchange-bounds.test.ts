// What an exchange keeps to: the key of a bound token, the organization of a client, and over our own API the scope of what was exchanged.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, exchangeGrant, introspect, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
let orders: string
let stock: string
test.before(async () => {
  server = await startServer()
  ;[orders, stock] = await Promise.all([makeResource(server), makeResource(server, { tokenFormat: 'opaque' })])
})
test.after.always(() => server?.close())

const audience = (identifier: string, scopes = ['read', 'write']) => ({ identifier, scopes })
const makeOrganization = async () => {
  const slug = `o-${randomUUID()}`
  return (await server.services.organizations.create(systemActor, { slug, name: slug })).id
}

test('a bound token is exchanged with a proof by its key alone, and what is given is bound to it', async t => {
  const own = await makeExchanger(server)
  const [keyPair, otherPair] = await Promise.all([client.randomDPoPKeyPair('ES256', { extractable: true }), client.randomDPoPKeyPair('ES256')])
  const [DPoP, other] = [client.getDPoPHandle(own.configuration, keyPair), client.getDPoPHandle(own.configuration, otherPair)]
  const { refreshToken } = await makeSubject(server, own, { resource: orders })
  const { access_token } = await client.refreshTokenGrant(own.configuration, refreshToken, {}, { DPoP })
  const asked = { subject_token: access_token, subject_token_type: accessTokenType }
  const ask = (options?: client.DPoPOptions) => client.genericGrantRequest(own.configuration, exchangeGrant, asked, options)
  for (const options of [undefined, { DPoP: other }]) t.like(await t.throwsAsync(ask(options)), { error: 'invalid_request' })
  const bound = await ask({ DPoP })
  t.is(bound.token_type, 'dpop')
  t.is((await introspect(own, bound.access_token)).cnf?.jkt, await calculateJwkThumbprint(await exportJWK(keyPair.publicKey)))
})

test('a client that must bind its tokens exchanges none without a proof', async t => {
  const front = await makeClient(server)
  const back = await makeExchanger(
    server,
    { allowed_clients: [front.clientId], audiences: [audience(orders)] },
    { metadata: { dpop_bound_access_tokens: true } },
  )
  const { token } = await makeSubject(server, front, { resource: orders })
  const asked = { subject_token: token, subject_token_type: accessTokenType }
  t.is((await askExchange(server, back, asked)).error, 'invalid_grant')
  const DPoP = client.getDPoPHandle(back.configuration, await client.randomDPoPKeyPair('ES256'))
  t.is((await client.genericGrantRequest(back.configuration, exchangeGrant, asked, { DPoP })).token_type, 'dpop')
})

test('our own API answers to an exchanged token as to any, within its scope', async t => {
  const calls = createCalls(server.issuer)
  const identifier = `${server.issuer}/api/v1`
  const front = await makeClient(server)
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(identifier, ['users:read'])] })
  const { who, token } = await makeSubject(server, front, { resource: orders })
  const ask = async (path: string, bearer: string) => (await calls.call(`/api/v1${path}`, { headers: { authorization: `Bearer ${bearer}` } })).status
  const plain = await exchange(server, back, token, { resource: identifier, scope: 'users:read' })
  t.is(await ask('/users', plain.access_token), 403)
  await server.services.userAdministration.update(systemActor, who.id as never, { isAdmin: true })
  await until(async () => (await ask('/users', plain.access_token)) === 200)
  t.is(await ask('/clients', plain.access_token), 403)
  const bare = await exchange(server, back, token, { resource: identifier })
  t.is(await ask('/users', bare.access_token), 403)
  t.is(await ask('/users', token), 401)
  await client.tokenRevocation(front.configuration, token)
  t.is(await ask('/users', plain.access_token), 401)
  await calls.close()
})

test('a token of an organization’s client is not exchanged for our API by a client of another or of the system', async t => {
  const identifier = `${server.issuer}/api/v1`
  const front = await makeClient(server, { organizationId: await makeOrganization() })
  const step = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [audience(stock)] })
  const back = await makeExchanger(server, { allowed_clients: [front.clientId, step.clientId], audiences: [audience(identifier, ['users:read'])] })
  const { token } = await makeSubject(server, front, { resource: orders })
  const asked = { subject_token_type: accessTokenType, resource: identifier, scope: 'users:read' }
  t.is((await askExchange(server, back, { ...asked, subject_token: token })).error, 'invalid_target')
  const away = await exchange(server, step, token, { resource: stock })
  t.is((await askExchange(server, back, { ...asked, subject_token: away.access_token })).error, 'invalid_target')
})
