// What tokens tell, to whom, and how they end: introspection, revocation, client credentials, userinfo, subjects.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let jwks: ReturnType<typeof createRemoteJWKSet>
test.before(async () => {
  server = await startServer()
  jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
})
test.after.always(() => server?.close())

const machine = { grantTypes: ['client_credentials'] }
const introspect = ({ configuration }: TestClient, token = '') => client.tokenIntrospection(configuration, token)
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
    const told = await introspect(relyingParty, tokens.access_token)
    t.true(told.active)
    t.is(told.client_id, own.clientId)
    t.is(told.sub, who.id)
    t.is(told.iss, server.issuer)
  }
  for (const relyingParty of [foreign, ownerless])
    for (const token of [tokens.access_token, tokens.refresh_token]) t.deepEqual({ ...(await introspect(relyingParty, token)) }, { active: false })
  t.deepEqual({ ...(await introspect(own, 'no-such-token')) }, { active: false })
})

test('two clients of no organization are strangers to one another', async t => {
  const [own, other] = await Promise.all([makeClient(server, machine), makeClient(server, machine)])
  const { access_token } = await client.clientCredentialsGrant(own.configuration)
  t.true((await introspect(own, access_token)).active)
  t.deepEqual({ ...(await introspect(other, access_token)) }, { active: false })
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
  t.false((await introspect(own, tokens.access_token)).active)
  t.true((await introspect(own, second.access_token)).active)
  await client.tokenRevocation(own.configuration, second.refresh_token ?? '')
  t.false((await introspect(own, second.access_token)).active)
  t.is(await refusal(client.refreshTokenGrant(own.configuration, second.refresh_token ?? '')), 'invalid_grant')
})

test('revocation of an unknown token succeeds, and of another client’s token changes nothing', async t => {
  const [own, other] = await Promise.all([makeClient(server, machine), makeClient(server, machine)])
  const { access_token } = await client.clientCredentialsGrant(own.configuration)
  await t.notThrowsAsync(client.tokenRevocation(own.configuration, 'no-such-token'))
  await client.tokenRevocation(other.configuration, access_token).catch(() => undefined)
  t.true((await introspect(own, access_token)).active)
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
  t.is((await introspect(one, first.tokens.access_token)).sub, sub)
})
