// Tokens for resource servers: who gets one, what it says, and what ends it; and who gets one by an assertion of its own, once (RFC 7523
// §2.1).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import type { NewResourceServer } from '../../src/clients/resource-server.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeKey } from '../support/agents.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { introspect, makeResource, tripsOf } from '../support/exchange.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let jwks: ReturnType<typeof createRemoteJWKSet>
let resource: string
let account: Awaited<ReturnType<typeof makeAccount>>
test.before(async () => {
  server = await startServer()
  jwks = createRemoteJWKSet(new URL(`${server.issuer}/oauth2/jwks`))
  resource = await makeResource(server)
  account = await makeAccount()
})
test.after.always(() => server?.close())

const machine = { grantTypes: ['client_credentials'] }
const sound = { name: 'An API', scopes: ['read', 'write'], tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 300 } as const
const makeServer = (given: Partial<NewResourceServer> = {}) =>
  server.services.resourceServerAdministration.create(systemActor, { ...sound, identifier: `https://${randomUUID()}.example/`, ...given })
const makeOrganization = async () => (await server.services.organizations.create(systemActor, { name: `Org ${randomUUID()}` })).id
const takesEffect = () => sleep(1100)
const credentials = ({ configuration }: TestClient, parameters: Record<string, string>) => client.clientCredentialsGrant(configuration, parameters)
const claimsOf = async (token: string, audience: string) => (await jwtVerify(token, jwks, { issuer: server.issuer, audience, typ: 'at+jwt' })).payload
const errorOf = (back: URL) => back.searchParams.get('error')

/** An authorization, up to its answer. */
const authorize = async (
  relyingParty: TestClient,
  { who, parameters, resources = [] }: { who: { email: string; password: string }; parameters?: Record<string, string>; resources?: string[] },
) => {
  const made = await relyingParty.request(parameters)
  for (const resource of resources) made.url.searchParams.append('resource', resource)
  const back = await createPerson().authorize(made.url, { ...who, redirectUri })
  return { ...made, back }
}
/** Redeems a code for one resource. */
const redeem = (relyingParty: TestClient, { back, checks }: Awaited<ReturnType<typeof authorize>>, parameters: Record<string, string> = {}) =>
  client.authorizationCodeGrant(relyingParty.configuration, back, checks, parameters)

test('a person’s access token is of the profile: typ, iss, aud, exp, sub, client_id, iat, jti, auth_time, acr, amr, scope (RFC 9068 §2.1, §2.2)', async t => {
  const { identifier } = await makeServer()
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const answer = await authorize(app, { who, parameters: { scope: 'openid read write' }, resources: [identifier] })
  const tokens = await redeem(app, answer)
  // The audience by itself, as a resource server of another maker checks it (RFC 9068 §4).
  const issuer = await oauth.processDiscoveryResponse(
    new URL(server.issuer),
    await oauth.discoveryRequest(new URL(server.issuer), { [oauth.allowInsecureRequests]: true }),
  )
  const request = new Request(identifier, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(issuer, request, identifier, { [oauth.allowInsecureRequests]: true })
  t.like(claims, { iss: server.issuer, aud: identifier, sub: who.id, client_id: app.clientId, scope: 'read write', acr: 'urn:authy2:acr:1', amr: ['pwd'] })
  t.is(typeof claims.jti, 'string')
  t.is(Number(claims.exp) - claims.iat, 300)
  t.is(claims.auth_time, tokens.claims()?.auth_time)
})

test('a client’s own access token says it as subject and no sign-in (RFC 9068 §2.2)', async t => {
  const app = await makeClient(server, machine)
  const { identifier } = await makeServer({ clients: [{ clientId: app.clientId, scopes: ['read'], detailsTypes: [] }] })
  const { access_token, scope } = await credentials(app, { resource: identifier, scope: 'read write' })
  const claims = await claimsOf(access_token, identifier)
  t.is(scope, 'read')
  t.like(claims, { sub: app.clientId, client_id: app.clientId, scope: 'read' })
  for (const name of ['auth_time', 'acr', 'amr']) t.false(name in claims)
})

test('a client that is not listed gets no token for itself, unless any may', async t => {
  const app = await makeClient(server, machine)
  const [listed, open] = [await makeServer(), await makeServer({ clientAccess: 'any' })]
  t.is(await refusal(credentials(app, { resource: listed.identifier, scope: 'read' })), 'invalid_target')
  t.is((await credentials(app, { resource: open.identifier, scope: 'read' })).scope, 'read')
})

test('where only listed clients ask for people, others are told invalid_target, and a listed one gets what it is listed for', async t => {
  const [app, other, who] = [await makeClient(server), await makeClient(server), await makeUser(server)]
  const { identifier } = await makeServer({ userAccess: 'listed', clients: [{ clientId: app.clientId, scopes: ['read'], detailsTypes: [] }] })
  const parameters = { scope: 'openid read write' }
  t.is(errorOf((await authorize(other, { who, parameters, resources: [identifier] })).back), 'invalid_target')
  const tokens = await redeem(app, await authorize(app, { who, parameters, resources: [identifier] }))
  t.is(tokens.scope, 'read')
})

test('an organization’s resource is there for its own clients and the system’s, for others it is invalid_target', async t => {
  const organizationId = await makeOrganization()
  const { identifier } = await makeServer({ organizationId, clientAccess: 'any' })
  const [own, ofSystem, foreign] = [
    await makeClient(server, { ...machine, organizationId }),
    await makeClient(server, machine),
    await makeClient(server, { ...machine, organizationId: await makeOrganization() }),
  ]
  for (const app of [own, ofSystem]) t.is((await credentials(app, { resource: identifier, scope: 'read' })).scope, 'read')
  t.is(await refusal(credentials(foreign, { resource: identifier, scope: 'read' })), 'invalid_target')
})

test('several resources at authorization, one at the token endpoint (RFC 8707 §2.1, §2.2)', async t => {
  const [one, two, never] = [await makeServer({ scopes: ['read'] }), await makeServer({ scopes: ['write'] }), await makeServer()]
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const asked = { who, parameters: { scope: 'openid read write' }, resources: [one.identifier, two.identifier] }
  t.is(await refusal(redeem(app, await authorize(app, asked))), 'invalid_target', 'none is named where several were granted')
  t.is(await refusal(redeem(app, await authorize(app, asked), { resource: never.identifier })), 'invalid_target', 'one that was not granted')
  const tokens = await redeem(app, await authorize(app, asked), { resource: one.identifier })
  t.is((await claimsOf(tokens.access_token, one.identifier)).scope, 'read')
  // Refused before the refresh token is used up: it goes on.
  const ofOther = { resource: two.identifier, scope: 'read' }
  t.is(await refusal(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', ofOther)), 'invalid_scope')
  const next = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { resource: two.identifier })
  t.is((await claimsOf(next.access_token, two.identifier)).scope, 'write')
  t.is(await refusal(client.refreshTokenGrant(app.configuration, next.refresh_token ?? '', { resource: never.identifier })), 'invalid_target')
})

test('a person is asked nothing where no scope is of any resource that is named, by whatever way (RFC 6749 §3.3, RFC 8707 §2.1)', async t => {
  const [one, two] = [await makeServer({ scopes: ['read'] }), await makeServer({ scopes: ['write'] })]
  const app = await makeClient(server, { grantTypes: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] })
  const parameters = { scope: 'openid profile unheard_of' }
  const { url } = await app.request(parameters)
  for (const { identifier } of [one, two]) url.searchParams.append('resource', identifier)
  t.is((await createPerson().get(url)).location?.searchParams.get('error'), 'invalid_scope')
  const asked = { ...parameters, resource: one.identifier }
  t.is(await refusal(client.buildAuthorizationUrlWithPAR(app.configuration, url.searchParams)), 'invalid_scope')
  t.is(await refusal(client.initiateDeviceAuthorization(app.configuration, asked)), 'invalid_scope')
  t.truthy((await client.initiateDeviceAuthorization(app.configuration, { ...asked, scope: 'openid read unheard_of' })).device_code)
  const who = await makeUser(server)
  const tokens = await redeem(app, await authorize(app, { who, parameters: { scope: 'openid write unheard_of' }, resources: [two.identifier] }))
  t.is(tokens.scope, 'write')
})

test('refreshing narrows the scope of one token, not of the next (RFC 6749 §6, RFC 8707 §2.2)', async t => {
  const { identifier } = await makeServer()
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const tokens = await redeem(app, await authorize(app, { who, parameters: { scope: 'openid read write' }, resources: [identifier] }))
  const narrowed = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { scope: 'read' })
  t.is(narrowed.scope, 'read')
  const next = await client.refreshTokenGrant(app.configuration, narrowed.refresh_token ?? '')
  t.is(next.scope, 'read write')
  t.is(await refusal(client.refreshTokenGrant(app.configuration, next.refresh_token ?? '', { scope: 'read more' })), 'invalid_scope')
})

for (const [state, change] of [
  ['disabled', (id: string) => server.services.resourceServerAdministration.update(systemActor, { id }, { isDisabled: true })],
  ['deleted', (id: string) => server.services.resourceServerAdministration.remove(systemActor, { id })],
] as const)
  test(`nothing is issued for a ${state} resource, and its opaque tokens are inactive`, async t => {
    const { id, identifier } = await makeServer({ tokenFormat: 'opaque', clientAccess: 'any' })
    const [app, itself, who] = [await makeClient(server), await makeClient(server, machine), await makeUser(server)]
    const asked = { who, parameters: { scope: 'openid read' }, resources: [identifier] }
    const tokens = await redeem(app, await authorize(app, asked))
    const waiting = await authorize(app, asked)
    t.true((await client.tokenIntrospection(app.configuration, tokens.access_token)).active)
    await change(id)
    await takesEffect()
    t.deepEqual({ ...(await client.tokenIntrospection(app.configuration, tokens.access_token)) }, { active: false })
    t.is(await refusal(credentials(itself, { resource: identifier })), 'invalid_target')
    t.is(await refusal(redeem(app, waiting)), 'invalid_target')
    t.is(await refusal(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')), 'invalid_target')
    t.is(errorOf((await authorize(app, asked)).back), 'invalid_target')
  })

test('a resource that is not for offline access gets no refresh token, nor a token by one', async t => {
  const [online, offline] = [await makeServer({ allowsOfflineAccess: false }), await makeServer()]
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const parameters = { scope: 'openid read' }
  t.is((await redeem(app, await authorize(app, { who, parameters, resources: [online.identifier] }))).refresh_token, undefined)
  const both = await authorize(app, { who, parameters, resources: [online.identifier, offline.identifier] })
  const tokens = await redeem(app, both, { resource: online.identifier })
  t.is(await refusal(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { resource: online.identifier })), 'invalid_target')
})

test('the consent page tells a resource by its name and address, and its scopes by what they mean', async t => {
  const { identifier } = await makeServer({ name: 'Orders of Acme', scopes: ['read'], scopeDescriptions: { read: 'See what you ordered' } })
  const [app, who, person] = [await makeClient(server, { isFirstParty: false }), await makeUser(server), createPerson()]
  const { url } = await app.request({ scope: 'openid read', resource: identifier })
  let page = await person.follow(await person.get(url), redirectUri)
  page = await person.follow(await person.submit(page, { username: who.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
  for (const text of ['Orders of Acme', identifier, 'See what you ordered']) t.true(page.body.includes(text), text)
})

/** A person with a role in an organization, whose grants are from now on for it. */
const makeHolder = async (scopes: readonly string[], identifier: string, organizationId?: string) => {
  const { roles, members } = server.services
  const id = organizationId ?? (await makeOrganization())
  const who = await makeUser(server)
  const role = `role-${randomUUID()}`
  await roles.create(systemActor, { organizationId: id as never, name: role, permissions: [], resourceScopes: scopes.map(scope => `${identifier} ${scope}`) })
  await members.add(systemActor, { organizationId: id as never, userId: who.id, role })
  const forOrganization = async () => {
    await server.resources.database.pool.query(
      "UPDATE oidc_artifacts SET payload = (payload::jsonb || jsonb_build_object('organizationId', $2::text))::json WHERE kind = 'Grant' AND account_id = $1",
      [who.id, id],
    )
  }
  return { who, role, organizationId: id, forOrganization }
}

test('where roles decide, a token carries the scopes that the person’s role holds in its organization, and the next what it holds then', async t => {
  const { identifier } = await makeServer({ requiresPermissions: true })
  const app = await makeClient(server)
  const { who, role, organizationId, forOrganization } = await makeHolder(['read'], identifier)
  const answer = await authorize(app, { who, parameters: { scope: 'openid read write' }, resources: [identifier] })
  await forOrganization()
  const tokens = await redeem(app, answer)
  t.is((await claimsOf(tokens.access_token, identifier)).scope, 'read')
  const { roles, members } = server.services
  const key = { organizationId: organizationId as never, role }
  await roles.update(systemActor, key, { resourceScopes: [`${identifier} read`, `${identifier} write`] })
  const wider = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '')
  t.is((await claimsOf(wider.access_token, identifier)).scope, 'read write')
  await members.setRole(systemActor, { organizationId: organizationId as never, userId: who.id, role: 'member' })
  const narrower = await client.refreshTokenGrant(app.configuration, wider.refresh_token ?? '')
  t.false('scope' in (await claimsOf(narrower.access_token, identifier)))
  await members.setRole(systemActor, { organizationId: organizationId as never, userId: who.id, role: 'admin' })
  const all = await client.refreshTokenGrant(app.configuration, narrower.refresh_token ?? '')
  t.is((await claimsOf(all.access_token, identifier)).scope, 'read write')
})

test('where roles decide, a token without an organization carries no scope', async t => {
  const { identifier } = await makeServer({ requiresPermissions: true })
  const app = await makeClient(server)
  const { who } = await makeHolder(['read'], identifier)
  const tokens = await redeem(app, await authorize(app, { who, parameters: { scope: 'openid read' }, resources: [identifier] }))
  t.false('scope' in (await claimsOf(tokens.access_token, identifier)))
})

test('the roles of one organization allow nothing at the resource of another', async t => {
  const [organizationId, elsewhere] = [await makeOrganization(), await makeOrganization()]
  const { identifier } = await makeServer({ organizationId, requiresPermissions: true })
  const app = await makeClient(server)
  const who = await makeUser(server)
  await server.services.members.add(systemActor, { organizationId: elsewhere, userId: who.id, role: 'owner' })
  const answer = await authorize(app, { who, parameters: { scope: 'openid read' }, resources: [identifier] })
  await server.resources.database.pool.query(
    "UPDATE oidc_artifacts SET payload = (payload::jsonb || jsonb_build_object('organizationId', $2::text))::json WHERE kind = 'Grant' AND account_id = $1",
    [who.id, elsewhere],
  )
  t.false('scope' in (await claimsOf((await redeem(app, answer)).access_token, identifier)))
})

for (const tokenFormat of ['jwt', 'opaque'] as const)
  test(`introspection tells of a living ${tokenFormat} token what its person’s role is and holds now, and no more than the token was issued with`, async t => {
    const { identifier } = await makeServer({ requiresPermissions: true, tokenFormat })
    const app = await makeClient(server)
    const { who, role, organizationId } = await makeHolder(['read'], identifier)
    const key = { organizationId: organizationId as never, userId: who.id }
    const { roles, members } = server.services
    await roles.update(systemActor, { organizationId: key.organizationId, role }, { permissions: ['clients:read', 'roles:read'] })
    const parameters = { scope: 'openid read write', organization: organizationId }
    const tokens = await redeem(app, await authorize(app, { who, parameters, resources: [identifier] }))
    const told = async () => {
      const { active, scope, org_id: id, org_roles: names, org_permissions: permissions } = await introspect(app, tokens.access_token)
      return { active, scope, id, names, permissions }
    }
    const living = { active: true, id: organizationId }
    t.deepEqual(await told(), { ...living, scope: 'read', names: [role], permissions: ['clients:read', 'roles:read'] })
    await roles.update(systemActor, { organizationId: key.organizationId, role }, { permissions: ['clients:read'], resourceScopes: [`${identifier} write`] })
    t.deepEqual(await told(), { ...living, scope: undefined, names: [role], permissions: ['clients:read'] })
    await members.setRole(systemActor, { ...key, role: 'admin' })
    t.like(await told(), { ...living, scope: 'read', names: ['admin'] })
    await members.setRole(systemActor, { ...key, role: 'member' })
    t.like(await told(), { ...living, scope: undefined, names: ['member'] })
    await members.setRole(systemActor, { ...key, role: 'admin' })
    await server.services.organizations.update(systemActor, organizationId as never, { isMfaRequired: true })
    t.like(await told(), { ...living, scope: undefined, names: ['admin'] })
    await members.remove(systemActor, key)
    t.deepEqual({ ...(await introspect(app, tokens.access_token)) }, { active: false })
  })

test('userinfo and our own API go by the role that a person has now, whatever it was when the token was issued', async t => {
  const app = await makeClient(server)
  const { who, role, organizationId } = await makeHolder([], resource)
  const key = { organizationId: organizationId as never, role }
  await server.services.roles.update(systemActor, key, { permissions: ['clients:read'] })
  const parameters = { scope: 'openid clients:read', organization: organizationId }
  const api = await redeem(app, await authorize(app, { who, parameters, resources: [`${server.issuer}/api/v1`] }))
  const plain = await redeem(app, await authorize(app, { who, parameters: { ...parameters, scope: 'openid' } }))
  const statusOf = async () => {
    const headers = { authorization: `Bearer ${api.access_token}` }
    return (await fetch(`${server.issuer}/api/v1/organizations/${organizationId}/clients`, { headers })).status
  }
  const rolesOf = async () => (await client.fetchUserInfo(app.configuration, plain.access_token, who.id)).org_roles
  t.deepEqual([await statusOf(), await rolesOf()], [200, [role]])
  await server.services.members.setRole(systemActor, { ...key, userId: who.id, role: 'member' })
  t.deepEqual([await statusOf(), await rolesOf()], [403, ['member']])
  t.deepEqual((await introspect(app, plain.access_token)).org_roles, ['member'])
})

test.serial('round trips: introspection asks no more for what a person is in the token’s organization than for whether they are in it', async t => {
  const { identifier } = await makeServer({ requiresPermissions: true })
  const app = await makeClient(server)
  const { who, organizationId } = await makeHolder(['read'], identifier)
  const parameters = { scope: 'openid read', organization: organizationId }
  const tokens = await redeem(app, await authorize(app, { who, parameters, resources: [identifier] }))
  // Where it stands, its grant, and the membership; the person and the clients are remembered for a second.
  t.is(await tripsOf(server, () => introspect(app, tokens.access_token)), 3)
})

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
  t.truthy(tokens.access_token)
})

/** What is wrong with an assertion, and the claim that the refusal names. */
const refused: Record<string, readonly [claim: string, claims: () => JWTPayload]> = {
  'of another issuer': ['iss', () => ({ iss: 'somebody-else' })],
  'about a person': ['sub', () => ({ sub: randomUUID() })],
  'without a subject': ['sub', () => ({ sub: undefined })],
  'for another audience': ['aud', () => ({ aud: 'https://other.example' })],
  'for nobody': ['aud', () => ({ aud: undefined })],
  'without an expiry': ['exp', () => ({ exp: undefined })],
  'whose expiry is no number': ['exp', () => ({ exp: 'soon' as never })],
  'that has expired': ['exp', () => ({ exp: now() - 30 })],
  'that lives longer than five minutes': ['exp', () => ({ exp: now() + 400 })],
  'that begins later': ['nbf', () => ({ nbf: now() + 120 })],
  'that was made later': ['iat', () => ({ iat: now() + 120 })],
  'without a jti': ['jti', () => ({ jti: undefined })],
  'with an empty jti': ['jti', () => ({ jti: '' })],
}
const reasonOf = async (work: Promise<unknown>) => {
  const error = await work.catch(cause => cause)
  return error instanceof client.ResponseBodyError ? ` ${error.error_description} ` : ''
}
for (const [name, [claim, claims]] of Object.entries(refused))
  test(`an assertion ${name} is invalid_grant, and is told so`, async t => {
    t.is(await refusal(ask(claims())), 'invalid_grant')
    t.true((await reasonOf(ask(claims()))).includes(` ${claim} `))
  })

const known: Record<string, readonly [word: string, claims: JWTPayload]> = {
  'of another issuer': ['iss', { iss: 'somebody-else' }],
  'without an issuer': ['iss', { iss: undefined }],
  'for another audience': ['aud', { aud: 'https://other.example' }],
  'for nobody': ['aud', { aud: undefined }],
  'without an expiry': ['exp', { exp: undefined }],
  'that has expired': ['exp', { exp: now() - 30 }],
  'that begins later': ['nbf', { nbf: now() + 120 }],
  'without a jti': ['jti', { jti: undefined }],
  'signed by another key': ['signature', {}],
}
for (const [name, [word, claims]] of Object.entries(known))
  test(`a client assertion ${name} is invalid_client, and is told so alike whether there is such a client`, async t => {
    const own = await makeAccount('ES256', { authenticationMethod: 'private_key_jwt', grantTypes: ['client_credentials'], auth: client.None() })
    const key = await makeKey()
    const told = []
    for (const clientId of [own.clientId, randomUUID()]) {
      const assertion = await assertionOf(server, { clientId, key }, claims)
      told.push(await postAssertion(assertion))
    }
    t.deepEqual([told[0]?.status, told[0]?.json.error], [401, 'invalid_client'])
    t.true(` ${told[0]?.json.error_description}`.includes(` ${word} `), String(told[0]?.json.error_description))
    t.deepEqual(told[1], told[0])
  })

test('a client assertion that is presented again is told so, to who holds the key alone', async t => {
  const own = await makeAccount('ES256', { authenticationMethod: 'private_key_jwt', grantTypes: ['client_credentials'], auth: client.None() })
  const assertion = await assertionOf(server, own)
  t.is((await postAssertion(assertion)).status, 200)
  const again = await postAssertion(assertion)
  t.deepEqual([again.status, again.json.error], [401, 'invalid_client'])
  t.regex(String(again.json.error_description), /\bjti\b/)
})
const postAssertion = async (assertion: string) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  })
  const response = await fetch(`${server.issuer}/oauth2/token`, { method: 'POST', body })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

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
  const words = ['signature', 'signature', 'alg', 'JWT', 'JWT']
  for (const [at, assertion] of assertions.entries()) {
    const present = () => client.genericGrantRequest(account.configuration, jwtBearer, { assertion })
    t.is(await refusal(present()), 'invalid_grant')
    t.true((await reasonOf(present())).includes(` ${words[at]} `), words[at])
  }
  t.is(await refusal(client.genericGrantRequest(account.configuration, jwtBearer, {})), 'invalid_request')
})

test('what an assertion cannot be asked for is told as that, not as the grant of another', async t => {
  const asking = ask({}, { organization: 'acme-corp' })
  t.true((await reasonOf(asking)).includes('for itself'))
  t.is(await refusal(asking), 'invalid_request')
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

test('RFC 9449 §8: an assertion that was answered with a nonce, or refused for what was asked beside it, is still good once', async t => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const endpoint = `${server.issuer}/oauth2/token`
  const proof = (nonce: string) =>
    new SignJWT({ htm: 'POST', htu: endpoint, jti: randomUUID(), nonce })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
  const assertion = await assertionOf(server, account)
  const present = async (headers: Record<string, string>, more: Record<string, string> = {}) => {
    const authorization = `Basic ${btoa(`${encodeURIComponent(account.clientId)}:${encodeURIComponent(account.secret)}`)}`
    const body = new URLSearchParams({ grant_type: jwtBearer, assertion, ...more })
    const response = await fetch(endpoint, { method: 'POST', headers: { authorization, ...headers }, body })
    return { error: ((await response.json()) as { error?: string }).error, nonce: response.headers.get('dpop-nonce') ?? '' }
  }
  const challenged = await present({ DPoP: await proof('of yesterday') })
  t.is(challenged.error, 'use_dpop_nonce')
  t.is((await present({}, { resource: 'https://nowhere.example/' })).error, 'invalid_target')
  t.is((await present({}, { resource, authorization_details: '[{"type":"unknown"}]' })).error, 'invalid_authorization_details')
  const good = await proof(challenged.nonce)
  t.is((await present({ DPoP: good })).error, undefined)
  t.is((await present({ DPoP: await proof(challenged.nonce) })).error, 'invalid_grant')
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
