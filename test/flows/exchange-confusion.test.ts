// Every kind of secret and name as a token of an exchange: only access tokens of people are subjects, and a client's own may act (RFC 8693 §2.1).
import test from 'ava'
import { decodeJwt, SignJWT } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { accessTokenType, actorTokenOf, askExchange, exchange, isActive, makeExchanger, makeResource, makeSubject } from '../support/exchange.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

interface Ground {
  readonly server: TestServer
  readonly orders: string
  readonly front: TestClient
  readonly back: TestClient
  readonly token: string
  readonly own: string
  readonly actor: string
}
let ground: Ground
test.before(async () => {
  const server = await startServer()
  const [orders, front] = await Promise.all([makeResource(server), makeClient(server)])
  const back = await makeExchanger(server, { allowed_clients: [front.clientId], audiences: [{ identifier: orders, scopes: ['read'] }], may_delegate: true })
  const subjectOf = async (by: TestClient) => (await makeSubject(server, by, { resource: orders })).token
  const [token, own, actor] = await Promise.all([subjectOf(front), subjectOf(back), actorTokenOf(back)])
  ground = { server, orders, front, back, token, own, actor }
})
test.after.always(() => ground?.server.close())

const granted = ({ token, orders }: Ground) => ({ subject_token: token, subject_token_type: accessTokenType, resource: orders, scope: 'read' })

/** Every kind of artefact but our access tokens of people. */
const artefacts: Readonly<Record<string, (from: Ground) => Promise<string>>> = {
  'an ID token': async ({ server, front, orders }) => (await makeSubject(server, front, { resource: orders })).idToken,
  'a refresh token': async ({ server, front, orders }) => (await makeSubject(server, front, { resource: orders })).refreshToken,
  'an authorization code': async ({ server, front }) => {
    const { who, person } = await makeSubject(server, front)
    const made = await front.request()
    return (await person.authorize(made.url, { ...who, redirectUri })).searchParams.get('code') ?? ''
  },
  'a client’s access token': async ({ actor }) => actor,
  'a client’s JWT access token': async ({ back, orders }) =>
    (await client.clientCredentialsGrant(back.configuration, { resource: orders, scope: 'read' })).access_token,
  'the cookie of a session': async ({ server, front }) => (await makeSubject(server, front)).person.cookies.get('session /')?.value ?? '',
  'a device code': async ({ server }) => (await deviceOf(server)).device_code,
  'a user code': async ({ server }) => (await deviceOf(server)).user_code,
  'a pushed request': async ({ server, front }) => {
    const { url } = await front.request()
    const answer = await post(server, '/oauth2/par', Object.fromEntries(url.searchParams), front)
    return String(answer.request_uri)
  },
  'an initial access token': async ({ server }) => new (server.app.protocol.engine.current().InitialAccessToken)({}).save(),
  'a registration access token': async ({ server }) => {
    const initial = await new (server.app.protocol.engine.current().InitialAccessToken)({}).save()
    const response = await fetch(`${server.issuer}/oauth2/register`, {
      method: 'POST',
      headers: { authorization: `Bearer ${initial}`, 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri] }),
    })
    return String(((await response.json()) as { registration_access_token: string }).registration_access_token)
  },
  'a session token of the API': async ({ server, front }) => {
    const { who } = await makeSubject(server, front)
    const calls = createCalls(server.issuer)
    const reply = await calls.call('/api/v1/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: who.email, password: who.password }),
    })
    await calls.close()
    return String((reply.json as { data: { token: string } }).data.token)
  },
  'an API key': async () => `authy2_${'k'.repeat(43)}`,
  'a client’s secret': async ({ front }) => front.secret,
  'a client assertion': async ({ server, front }) =>
    signedByOther({ iss: front.clientId, sub: front.clientId, aud: server.issuer, client_id: front.clientId }, 'JWT'),
  'a logout token': async ({ server, front }) =>
    signedByOther({ iss: server.issuer, aud: front.clientId, sub: 'x', events: {}, client_id: front.clientId }, 'logout+jwt'),
  'an access token that another signed': async ({ token }) => signedByOther({ ...decodeJwt(token) }, 'at+jwt'),
  'a grant’s identifier': async ({ server, front }) =>
    (await server.resources.database.prisma.oidcArtifact.findFirst({ where: { kind: 'Grant', clientId: front.clientId } }))?.grantId ?? '',
  'the identifier of a JWT access token': async ({ token }) => String(decodeJwt(token).jti),
  'a client’s identifier': async ({ front }) => front.clientId,
  'a user’s identifier': async ({ token }) => String(decodeJwt(token).sub),
  'an expired access token': async ({ server, front }) => {
    const brief = await makeResource(server, { accessTokenTtlSeconds: 1 })
    const { token } = await makeSubject(server, front, { resource: brief })
    await new Promise(resolve => setTimeout(resolve, 2100))
    return token
  },
  'a revoked access token': async ({ server, front, orders }) => {
    const { token } = await makeSubject(server, front, { resource: orders })
    await client.tokenRevocation(front.configuration, token)
    return token
  },
  'the token of a resource that is disabled': async ({ server, front }) => {
    const identifier = await makeResource(server)
    const { token } = await makeSubject(server, front, { resource: identifier })
    const [row] = (await server.services.resourceServerAdministration.list({ q: identifier }, { limit: 1, isAscending: true })).rows
    await server.services.resourceServerAdministration.update(systemActor, { id: row?.id ?? '' }, { isDisabled: true })
    return token
  },
  'the token of a person who is suspended': async ({ server, front, orders }) => {
    const { token, who } = await makeSubject(server, front, { resource: orders })
    await server.services.userAdministration.suspend(systemActor, who.id as never)
    return token
  },
}

const signedByOther = (claims: Record<string, unknown>, typ: string) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ }).sign(Buffer.alloc(32, 7))

const post = async (server: TestServer, path: string, form: Record<string, string>, { clientId, secret }: Pick<TestClient, 'clientId' | 'secret'>) => {
  const authorization = `Basic ${btoa(`${clientId}:${encodeURIComponent(secret)}`)}`
  const response = await fetch(`${server.issuer}${path}`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
  return (await response.json()) as Record<string, string>
}

const deviceOf = async (server: TestServer) => {
  const device = await makeClient(server, { grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] })
  return (await post(server, '/oauth2/device_authorization', { scope: 'openid' }, device)) as { device_code: string; user_code: string }
}

for (const [what, make] of Object.entries(artefacts))
  test(`${what} is no subject, and nobody’s actor but a client’s own`, async t => {
    const { server, back } = ground
    const artefact = await make(ground)
    t.true(artefact.length > 5, artefact)
    for (const told of [accessTokenType, type('jwt')]) {
      const asSubject = await askExchange(server, back, { ...granted(ground), subject_token: artefact, subject_token_type: told })
      t.is(asSubject.error, 'invalid_request')
      const asActor = await askExchange(server, back, { ...granted(ground), actor_token: artefact, actor_token_type: told })
      const mayAct = what.startsWith('a client’s access') ? told === accessTokenType : what.startsWith('a client’s JWT')
      t.is(asActor.error, mayAct ? undefined : 'invalid_request')
    }
  })

test('an exchanged token is as good a subject as any, told to be what it is', async t => {
  const { server, back, own } = ground
  const { access_token } = await exchange(server, back, own)
  for (const told of [accessTokenType, type('jwt')]) {
    const answer = await askExchange(server, back, { subject_token: access_token, subject_token_type: told })
    t.true(await isActive(back, answer.access_token))
  }
})
