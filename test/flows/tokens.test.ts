// What tokens tell, to whom, and how they end: introspection (RFC 7662), revocation (RFC 7009), client credentials, userinfo, subjects; opaque
// ones, and JWT access tokens, which nothing keeps.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { createCalls } from '../support/calls.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { introspect, isActive, makeResource, makeSubject, tripsOf } from '../support/exchange.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let jwks: ReturnType<typeof createRemoteJWKSet>
let resource: string
test.before(async () => {
  server = await startServer()
  jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  resource = await makeResource(server)
})
test.after.always(() => server?.close())

const machine = { grantTypes: ['client_credentials'] }
const introspected = ({ configuration }: TestClient, token = '') => client.tokenIntrospection(configuration, token)
const makeOrganization = async () => {
  const slug = `o-${randomUUID()}`
  return (await server.services.organizations.create({ kind: 'system', permissions: new Set() } as never, { slug, name: slug })).id
}

test('introspection tells a client of its own tokens, its organization’s clients too, and others nothing', async t => {
  const organizationId = await makeOrganization()
  const [own, colleague, foreign, ownerless] = await Promise.all([
    makeClient(server, { organizationId }),
    makeClient(server, { ...machine, organizationId }),
    makeClient(server, { ...machine, organizationId: await makeOrganization() }),
    makeClient(server, machine),
  ])
  const who = await makeUser(server)
  const { tokens } = await own.signIn({ who })
  for (const relyingParty of [own, colleague]) {
    const told = await introspected(relyingParty, tokens.access_token)
    t.true(told.active)
    t.is(told.client_id, own.clientId)
    t.is(told.sub, who.id)
    t.is(told.iss, server.issuer)
  }
  for (const relyingParty of [foreign, ownerless])
    for (const token of [tokens.access_token, tokens.refresh_token]) t.deepEqual({ ...(await introspected(relyingParty, token)) }, { active: false })
  t.deepEqual({ ...(await introspected(own, 'no-such-token')) }, { active: false })
})

test('two clients of no organization are strangers to one another', async t => {
  const [own, other] = await Promise.all([makeClient(server, machine), makeClient(server, machine)])
  const { access_token } = await client.clientCredentialsGrant(own.configuration)
  t.true((await introspected(own, access_token)).active)
  t.deepEqual({ ...(await introspected(other, access_token)) }, { active: false })
})

test('introspection answers a signed JWT to who asks for one (RFC 9701)', async t => {
  const own = await makeClient(server, { ...machine, metadata: { introspection_signed_response_alg: 'ES256' } })
  const { access_token } = await client.clientCredentialsGrant(own.configuration)
  const response = await fetch(`${server.issuer}/oauth2/introspect`, {
    method: 'POST',
    headers: { accept: 'application/token-introspection+jwt', authorization: `Basic ${btoa(`${own.clientId}:${encodeURIComponent(own.secret)}`)}` },
    body: new URLSearchParams({ token: access_token }),
  })
  t.regex(response.headers.get('content-type') ?? '', /^application\/token-introspection\+jwt/)
  const { payload } = await jwtVerify(await response.text(), jwks, { issuer: server.issuer, algorithms: ['ES256'], typ: 'token-introspection+jwt' })
  t.true((payload.token_introspection as { active: boolean }).active)
})

test('a revoked access token ends alone, a revoked refresh token with all that was issued with it', async t => {
  const own = await makeClient(server)
  const { tokens } = await own.signIn({ who: await makeUser(server) })
  const second = await client.refreshTokenGrant(own.configuration, tokens.refresh_token ?? '')
  await client.tokenRevocation(own.configuration, tokens.access_token)
  t.false((await introspected(own, tokens.access_token)).active)
  t.true((await introspected(own, second.access_token)).active)
  await client.tokenRevocation(own.configuration, second.refresh_token ?? '')
  t.false((await introspected(own, second.access_token)).active)
  t.is(await refusal(client.refreshTokenGrant(own.configuration, second.refresh_token ?? '')), 'invalid_grant')
})

test('revocation of an unknown token succeeds, and of another client’s token changes nothing', async t => {
  const [own, other] = await Promise.all([makeClient(server, machine), makeClient(server, machine)])
  const { access_token } = await client.clientCredentialsGrant(own.configuration)
  await t.notThrowsAsync(client.tokenRevocation(own.configuration, 'no-such-token'))
  await client.tokenRevocation(other.configuration, access_token).catch(() => undefined)
  t.true((await introspected(own, access_token)).active)
})

for (const alg of ['ES256', 'RS256', 'EdDSA'])
  test(`client credentials for a resource give a JWT access token signed with ${alg} (RFC 9068)`, async t => {
    const own = await makeClient(server, machine)
    const resource = `http://localhost:4000/api/${alg.toLowerCase()}`
    const { access_token, expires_in, scope } = await client.clientCredentialsGrant(own.configuration, { resource, scope: 'read' })
    const { payload, protectedHeader } = await jwtVerify(access_token, jwks, { issuer: server.issuer, audience: resource, typ: 'at+jwt', algorithms: [alg] })
    t.truthy(protectedHeader.kid)
    t.is(payload.client_id, own.clientId)
    t.is(payload.sub, own.clientId)
    t.is(payload.scope, 'read')
    t.is(scope, 'read')
    t.is(Number(payload.exp) - Number(payload.iat), Number(expires_in))
    t.is(typeof payload.jti, 'string')
  })

test('a person’s JWT access token names them, their client and when they signed in', async t => {
  const resource = 'http://localhost:4000/api/es256'
  const own = await makeClient(server)
  const who = await makeUser(server)
  const { tokens } = await own.signIn({ who, parameters: { scope: 'openid read', resource }, checks: {} })
  const { access_token } = await client.refreshTokenGrant(own.configuration, tokens.refresh_token ?? '', { resource })
  const { payload } = await jwtVerify(access_token, jwks, { audience: resource, typ: 'at+jwt' })
  t.is(payload.sub, who.id)
  t.is(payload.client_id, own.clientId)
  t.is(payload.scope, 'read')
})

test('an unknown resource is invalid_target, and a scope that the resource lacks is not given', async t => {
  const own = await makeClient(server, machine)
  t.is(await refusal(client.clientCredentialsGrant(own.configuration, { resource: 'https://unknown.example/' })), 'invalid_target')
  t.is(await refusal(client.clientCredentialsGrant(own.configuration, { resource: 'no uri' })), 'invalid_target')
  const resource = 'http://localhost:4000/api/es256'
  const given = await client.clientCredentialsGrant(own.configuration, { resource, scope: 'read no-such-scope' })
  t.is(given.scope, 'read')
})

test('what a client asks for itself and does not get at all is invalid_scope (RFC 6749 §3.3); without a scope it gets a token without one', async t => {
  const own = await makeClient(server, machine)
  const resource = 'http://localhost:4000/api/es256'
  const ask = (parameters: Record<string, string>) => client.clientCredentialsGrant(own.configuration, parameters)
  for (const scope of ['foo', 'openid', 'offline_access', 'openid foo']) t.is(await refusal(ask({ scope })), 'invalid_scope', scope)
  for (const scope of ['foo', 'openid']) t.is(await refusal(ask({ scope, resource })), 'invalid_scope', scope)
  t.is((await ask({})).scope, undefined)
  t.is((await ask({ resource })).scope, undefined)
  t.is(await refusal(ask({ organization: 'acme' })), 'invalid_request')
})

for (const path of ['token', 'introspect', 'revoke', 'par', 'device_authorization', 'backchannel-authentication'])
  test(`who does not authenticate at ${path} is told the scheme (RFC 9110 §15.5.2)`, async t => {
    const answer = await fetch(`${server.issuer}/oauth2/${path}`, { method: 'POST', body: new URLSearchParams('grant_type=client_credentials&token=x') })
    t.is(answer.status, 401)
    t.is(((await answer.json()) as { error: string }).error, 'invalid_client')
    t.regex(answer.headers.get('www-authenticate') ?? '', /^Basic realm=/)
  })

test('userinfo is a signed JWT where the client registered for one', async t => {
  const own = await makeClient(server, { metadata: { userinfo_signed_response_alg: 'ES256' } })
  const who = await makeUser(server)
  const { tokens } = await own.signIn({ who })
  client.enableNonRepudiationChecks(own.configuration)
  t.is((await client.fetchUserInfo(own.configuration, tokens.access_token, who.id)).email, who.email)
})

test('pairwise subjects are the same for one sector, another for the next, and in userinfo as in the ID token', async t => {
  const pairwise = (host: string) => makeClient(server, { metadata: { subject_type: 'pairwise', sector_identifier_uri: `https://${host}/sector.json` } })
  const [one, two] = await Promise.all([pairwise('one.example'), pairwise('two.example')])
  const who = await makeUser(server)
  const first = await one.signIn({ who })
  const again = await one.signIn({ who })
  const other = await two.signIn({ who })
  const sub = first.tokens.claims()?.sub ?? ''
  t.is(again.tokens.claims()?.sub, sub)
  t.is(new Set([sub, other.tokens.claims()?.sub, who.id]).size, 3)
  t.is((await client.fetchUserInfo(one.configuration, first.tokens.access_token, sub)).sub, sub)
  t.is((await introspected(one, first.tokens.access_token)).sub, sub)
})
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
  for (const one of [idToken, `${head}.${other}.${signature}`, foreign, `${head}.${other}.`, 'a.b.c', 'a.b.c.d.e', `${head}.b.c.d.e`])
    t.deepEqual({ ...(await introspect(own, one)) }, inactive)
})

test('the reference in a token names no grant, and no two tokens of a grant have one in common', async t => {
  const own = await makeClient(server)
  const { token, refreshToken } = await makeSubject(server, own, { resource })
  const next = await client.refreshTokenGrant(own.configuration, refreshToken)
  const references = [token, next.access_token].map(one => String(decodeJwt(one).jti).split('.'))
  const { sealedPrefix } = server.resources.secrets
  t.is(new Set(references.flat().filter(part => !sealedPrefix.split('.').includes(part))).size, 4)
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
  await server.services.clientAdministration.remove(systemActor, { id: own.clientId })
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
