// Tokens for resource servers: who gets one, what it says, and what ends it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import type { NewResourceServer } from '../../src/clients/resource-server.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
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
const sound = { name: 'An API', scopes: ['read', 'write'], tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 300 } as const
const makeResource = (given: Partial<NewResourceServer> = {}) =>
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
  const { identifier } = await makeResource()
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
  const { identifier } = await makeResource({ clients: [{ clientId: app.clientId, scopes: ['read'], detailsTypes: [] }] })
  const { access_token, scope } = await credentials(app, { resource: identifier, scope: 'read write' })
  const claims = await claimsOf(access_token, identifier)
  t.is(scope, 'read')
  t.like(claims, { sub: app.clientId, client_id: app.clientId, scope: 'read' })
  for (const name of ['auth_time', 'acr', 'amr']) t.false(name in claims)
})

test('a client that is not listed gets no token for itself, unless any may', async t => {
  const app = await makeClient(server, machine)
  const [listed, open] = [await makeResource(), await makeResource({ clientAccess: 'any' })]
  t.is(await refusal(credentials(app, { resource: listed.identifier, scope: 'read' })), 'invalid_target')
  t.is((await credentials(app, { resource: open.identifier, scope: 'read' })).scope, 'read')
})

test('where only listed clients ask for people, others are told invalid_target, and a listed one gets what it is listed for', async t => {
  const [app, other, who] = [await makeClient(server), await makeClient(server), await makeUser(server)]
  const { identifier } = await makeResource({ userAccess: 'listed', clients: [{ clientId: app.clientId, scopes: ['read'], detailsTypes: [] }] })
  const parameters = { scope: 'openid read write' }
  t.is(errorOf((await authorize(other, { who, parameters, resources: [identifier] })).back), 'invalid_target')
  const tokens = await redeem(app, await authorize(app, { who, parameters, resources: [identifier] }))
  t.is(tokens.scope, 'read')
})

test('an organization’s resource is there for its own clients and the system’s, for others it is invalid_target', async t => {
  const organizationId = await makeOrganization()
  const { identifier } = await makeResource({ organizationId, clientAccess: 'any' })
  const [own, ofSystem, foreign] = [
    await makeClient(server, { ...machine, organizationId }),
    await makeClient(server, machine),
    await makeClient(server, { ...machine, organizationId: await makeOrganization() }),
  ]
  for (const app of [own, ofSystem]) t.is((await credentials(app, { resource: identifier, scope: 'read' })).scope, 'read')
  t.is(await refusal(credentials(foreign, { resource: identifier, scope: 'read' })), 'invalid_target')
})

test('several resources at authorization, one at the token endpoint (RFC 8707 §2.1, §2.2)', async t => {
  const [one, two, never] = [await makeResource({ scopes: ['read'] }), await makeResource({ scopes: ['write'] }), await makeResource()]
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const asked = { who, parameters: { scope: 'openid read write' }, resources: [one.identifier, two.identifier] }
  t.is(await refusal(redeem(app, await authorize(app, asked))), 'invalid_target', 'none is named where several were granted')
  t.is(await refusal(redeem(app, await authorize(app, asked), { resource: never.identifier })), 'invalid_target', 'one that was not granted')
  const tokens = await redeem(app, await authorize(app, asked), { resource: one.identifier })
  t.is((await claimsOf(tokens.access_token, one.identifier)).scope, 'read')
  const next = await client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { resource: two.identifier })
  t.is((await claimsOf(next.access_token, two.identifier)).scope, 'write')
  t.is(await refusal(client.refreshTokenGrant(app.configuration, next.refresh_token ?? '', { resource: never.identifier })), 'invalid_target')
})

test('refreshing narrows the scope of one token, not of the next (RFC 6749 §6, RFC 8707 §2.2)', async t => {
  const { identifier } = await makeResource()
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
    const { id, identifier } = await makeResource({ tokenFormat: 'opaque', clientAccess: 'any' })
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
  const [online, offline] = [await makeResource({ allowsOfflineAccess: false }), await makeResource()]
  const [app, who] = [await makeClient(server), await makeUser(server)]
  const parameters = { scope: 'openid read' }
  t.is((await redeem(app, await authorize(app, { who, parameters, resources: [online.identifier] }))).refresh_token, undefined)
  const both = await authorize(app, { who, parameters, resources: [online.identifier, offline.identifier] })
  const tokens = await redeem(app, both, { resource: online.identifier })
  t.is(await refusal(client.refreshTokenGrant(app.configuration, tokens.refresh_token ?? '', { resource: online.identifier })), 'invalid_target')
})

test('the consent page tells a resource by its name and address, and its scopes by what they mean', async t => {
  const { identifier } = await makeResource({ name: 'Orders of Acme', scopes: ['read'], scopeDescriptions: { read: 'See what you ordered' } })
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
  const { identifier } = await makeResource({ requiresPermissions: true })
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
  const { identifier } = await makeResource({ requiresPermissions: true })
  const app = await makeClient(server)
  const { who } = await makeHolder(['read'], identifier)
  const tokens = await redeem(app, await authorize(app, { who, parameters: { scope: 'openid read' }, resources: [identifier] }))
  t.false('scope' in (await claimsOf(tokens.access_token, identifier)))
})

test('the roles of one organization allow nothing at the resource of another', async t => {
  const [organizationId, elsewhere] = [await makeOrganization(), await makeOrganization()]
  const { identifier } = await makeResource({ organizationId, requiresPermissions: true })
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
