// JWT access tokens, which nothing keeps, as introspection (RFC 7662), revocation (RFC 7009) and our own API know them.
import test from 'ava'
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { introspect, isActive, makeResource, makeSubject, tripsOf } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

let server: TestServer
let resource: string
test.before(async () => {
  server = await startServer()
  resource = await makeResource(server)
})
test.after.always(() => server?.close())

const machine = { grantTypes: ['client_credentials'] }
const api = () => `${server.issuer}/api/v1`
const inactive = { active: false }

test('introspection tells of a person’s JWT access token what it says', async t => {
  const own = await makeClient(server)
  const { who, token } = await makeSubject(server, own, { resource })
  const { jti: _jti, ...said } = decodeJwt(token)
  const { token_type, active, ...told } = await introspect(own, token)
  t.true(active)
  t.is(token_type, 'Bearer')
  t.like(told, { ...said, sub: who.id, client_id: own.clientId, aud: resource, iss: server.issuer })
})

test('introspection knows a client’s own JWT access token', async t => {
  const own = await makeClient(server, machine)
  const { access_token } = await client.clientCredentialsGrant(own.configuration, { resource, scope: 'read' })
  t.like(await introspect(own, access_token), { active: true, client_id: own.clientId, scope: 'read', aud: resource })
})

test('a pairwise client knows its people by their pairwise subject there too', async t => {
  const own = await makeClient(server, { metadata: { subject_type: 'pairwise' } })
  const { who, token, tokens } = await makeSubject(server, own, { resource })
  const { sub } = await introspect(own, token)
  t.is(sub, decodeJwt(token).sub)
  t.is(sub, tokens.claims()?.sub)
  t.not(sub, who.id)
})

test('a client of another organization learns nothing of it', async t => {
  const [own, other] = await Promise.all([makeClient(server), makeClient(server, machine)])
  const { token } = await makeSubject(server, own, { resource })
  t.deepEqual({ ...(await introspect(other, token)) }, inactive)
})

for (const tokenFormat of ['jwt', 'opaque'] as const)
  test(`the resource server asks what a token for it is worth, and no other (${tokenFormat})`, async t => {
    const [own, itself, beside] = await Promise.all([makeClient(server), makeClient(server, machine), makeClient(server, machine)])
    const clients = [
      { clientId: itself.clientId, scopes: [], detailsTypes: [], introspects: true },
      { clientId: beside.clientId, scopes: ['read'], detailsTypes: [] },
    ]
    const [mine, others] = await Promise.all([makeResource(server, { tokenFormat, clients }), makeResource(server, { tokenFormat })])
    const [forIt, elsewhere] = [await makeSubject(server, own, { resource: mine }), await makeSubject(server, own, { resource: others })]
    t.like(await introspect(itself, forIt.token), { active: true, aud: mine, client_id: own.clientId, sub: forIt.who.id })
    t.deepEqual({ ...(await introspect(itself, elsewhere.token)) }, inactive)
    t.deepEqual({ ...(await introspect(beside, forIt.token)) }, inactive)
    await server.services.userAdministration.endSessions(systemActor, forIt.who.id)
    t.deepEqual({ ...(await introspect(itself, forIt.token)) }, inactive)
  })

test('the answer is signed for who asks for that (RFC 9701)', async t => {
  const own = await makeClient(server, { metadata: { introspection_signed_response_alg: 'ES256' } })
  const { token } = await makeSubject(server, own, { resource })
  const response = await fetch(`${server.issuer}/oauth2/introspect`, {
    method: 'POST',
    headers: { accept: 'application/token-introspection+jwt', authorization: `Basic ${btoa(`${own.clientId}:${encodeURIComponent(own.secret)}`)}` },
    body: new URLSearchParams({ token }),
  })
  const keys = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  const { payload } = await jwtVerify(await response.text(), keys, { issuer: server.issuer, typ: 'token-introspection+jwt' })
  t.like(payload.token_introspection, { active: true, aud: resource })
})

test('what is not an access token of ours is inactive, whatever its form', async t => {
  const own = await makeClient(server)
  const { token, idToken } = await makeSubject(server, own, { resource })
  const [head, , signature] = token.split('.')
  const other = Buffer.from(JSON.stringify({ ...decodeJwt(token), scope: 'admin' })).toString('base64url')
  const foreign = await new SignJWT({ ...decodeJwt(token) }).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(Buffer.alloc(32))
  for (const one of [idToken, `${head}.${other}.${signature}`, foreign, `${head}.${other}.`, 'a.b.c', 'a.b.c.d.e', 'jwt:a:b:c'])
    t.deepEqual({ ...(await introspect(own, one)) }, inactive)
})

test('the reference in a token names no grant, and no two tokens of a grant have one in common', async t => {
  const own = await makeClient(server)
  const { token, refreshToken } = await makeSubject(server, own, { resource })
  const next = await client.refreshTokenGrant(own.configuration, refreshToken)
  const references = [token, next.access_token].map(one => String(decodeJwt(one).jti).split('.'))
  t.is(new Set(references.flat().filter(part => part !== 'v1')).size, 4)
  const grants = await server.resources.database.prisma.oidcArtifact.findMany({ where: { kind: 'Grant', clientId: own.clientId } })
  t.is(grants.length, 1)
  for (const one of [token, next.access_token]) t.false(Buffer.from(one.split('.')[1] ?? '', 'base64url').includes(grants[0]?.grantId ?? '-'))
})

type Ended = { own: TestClient; subject: Awaited<ReturnType<typeof makeSubject>> }
const endings: Record<string, (parts: Ended) => Promise<unknown>> = {
  'its person is suspended': ({ subject: { who } }) => server.services.userAdministration.suspend(systemActor, who.id as never),
  'consent is taken back': ({ own, subject: { who } }) => server.services.consents.revoke(systemActor, { userId: who.id, clientId: own.clientId }),
  'the refresh token is revoked': ({ own, subject: { refreshToken } }) => client.tokenRevocation(own.configuration, refreshToken),
  'the token itself is revoked (RFC 7009)': ({ own, subject: { token } }) => client.tokenRevocation(own.configuration, token),
  'the session ends that it was issued in': ({ subject: { who } }) =>
    server.resources.database.prisma.oidcArtifact.updateMany({ where: { kind: 'Session', accountId: who.id }, data: { revokedAt: new Date() } }),
}
for (const [how, end] of Object.entries(endings))
  test(`a JWT access token ends at introspection and at the API when ${how}`, async t => {
    const own = await makeClient(server)
    const calls = createCalls(server.issuer)
    const who = await makeSubject(server, own, { resource: api(), scope: 'openid users:read' })
    const elsewhere = await makeSubject(server, own, { resource })
    const statusOf = async () => (await calls.call('/api/v1/auth/me', { headers: { authorization: `Bearer ${who.token}` } })).status
    t.not(await statusOf(), 401)
    t.true(await isActive(own, who.token))
    await end({ own, subject: who })
    await until(async () => (await statusOf()) === 401)
    t.false(await isActive(own, who.token))
    t.true(await isActive(own, elsewhere.token))
    await calls.close()
  })

test('a revoked JWT access token ends alone, and another client revokes nothing', async t => {
  const [own, other] = await Promise.all([makeClient(server, machine), makeClient(server, machine)])
  const issue = async () => (await client.clientCredentialsGrant(own.configuration, { resource })).access_token
  const [one, two] = [await issue(), await issue()]
  await client.tokenRevocation(other.configuration, one)
  t.true(await isActive(own, one))
  await client.tokenRevocation(own.configuration, one)
  await client.tokenRevocation(own.configuration, one)
  t.deepEqual([await isActive(own, one), await isActive(own, two)], [false, true])
})

test('a client that is deleted takes its tokens with it, also for its organization’s other clients', async t => {
  const { id: organizationId } = await server.services.organizations.create(systemActor, { slug: `o-${Date.now()}`, name: 'O' })
  const [own, colleague] = await Promise.all([makeClient(server, { organizationId }), makeClient(server, { ...machine, organizationId })])
  const { token } = await makeSubject(server, own, { resource })
  t.true(await isActive(colleague, token))
  await server.services.clients.remove(systemActor, own.clientId)
  t.false(await isActive(colleague, token))
})

test('userinfo takes no JWT access token', async t => {
  const own = await makeClient(server)
  const { token } = await makeSubject(server, own, { resource })
  t.is(await refusal(client.fetchUserInfo(own.configuration, token, client.skipSubjectCheck)), 'invalid_token')
})

test.serial('round trips: the API asks for a token’s standing once, introspection twice', async t => {
  const own = await makeClient(server)
  const { token } = await makeSubject(server, own, { resource: api(), scope: 'openid users:read' })
  const { verifyAccessToken } = server.app.protocol
  t.is(await tripsOf(server, () => verifyAccessToken(token)), 1)
  // Where it stands, and its grant; the person and the clients are remembered for a second.
  t.is(await tripsOf(server, () => introspect(own, token)), 2)
})
