// What becomes of tokens for an organization: switching keeps both, refreshing asks again, and what ends, ends at once.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { makeMember, makeOrganizationOf } from '../support/organizations.ts'
import type { Person } from '../support/person.ts'
import { together } from '../support/race.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const authorize = async (relyingParty: TestClient, { person, parameters }: { person: Person; parameters: Record<string, string> }) => {
  const made = await relyingParty.request(parameters)
  const { location } = await person.follow(await person.get(made.url), redirectUri)
  return client.authorizationCodeGrant(relyingParty.configuration, location as URL, made.checks)
}
const refresh = ({ configuration }: TestClient, { refresh_token = '' }: { refresh_token?: string | undefined }) =>
  client.refreshTokenGrant(configuration, refresh_token)
const isActive = async ({ configuration }: TestClient, token = '') => (await client.tokenIntrospection(configuration, token)).active
/** Signs a member of two in for the first, with tokens that are bound to the session. */
const begin = async () => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const [first = { id: '', slug: '' }, second = { id: '', slug: '' }] = who.organizations
  const { person, tokens } = await relyingParty.signIn({ who, parameters: { organization: first.id } })
  return { relyingParty, who, first, second, person, tokens }
}
const leave = (organizationId: string, userId: string) => server.services.members.remove(systemActor, { organizationId: organizationId as never, userId })

test('asking for another organization, or none, in the same session changes no tokens of the first', async t => {
  const { relyingParty, first, second, person, tokens } = await begin()
  const other = await authorize(relyingParty, { person, parameters: { organization: second.id } })
  const none = await authorize(relyingParty, { person, parameters: {} })
  t.is(other.claims()?.org_id, second.id)
  t.is(none.claims()?.org_id, undefined)
  for (const [given, id] of [
    [tokens, first.id],
    [other, second.id],
    [none, undefined],
  ] as const) {
    t.true(await isActive(relyingParty, given.access_token))
    const renewed = await refresh(relyingParty, given)
    t.is(renewed.claims()?.org_id, id)
    t.is((await client.tokenIntrospection(relyingParty.configuration, renewed.access_token)).org_id, id)
  }
})

test('what is bound to the session ends with it, for every organization', async t => {
  const { relyingParty, second, person, tokens } = await begin()
  const other = await authorize(relyingParty, { person, parameters: { organization: second.id } })
  const page = await person.get(client.buildEndSessionUrl(relyingParty.configuration))
  await person.follow(await person.submit(page, { logout: 'yes' }), 'none:')
  for (const given of [tokens, other]) {
    t.false(await isActive(relyingParty, given.access_token))
    t.is(await refusal(refresh(relyingParty, given)), 'invalid_grant')
  }
})

test('of twenty requests of one session for two organizations and none, all tokens live', async t => {
  const { relyingParty, first, second, person } = await begin()
  const asked = [first.id, second.id, undefined]
  let turn = 0
  const given = await together(20, async () => {
    const organization = asked[turn++ % asked.length]
    return { organization, tokens: await authorize(relyingParty, { person, parameters: organization ? { organization } : {} }) }
  })
  for (const { organization, tokens } of given) {
    t.is(tokens.claims()?.org_id, organization)
    t.true(await isActive(relyingParty, tokens.access_token))
    t.is((await refresh(relyingParty, tokens)).claims()?.org_id, organization)
  }
})

test('a refresh tells the role and the slug as they are by now', async t => {
  const { relyingParty, who, first, tokens } = await begin()
  const slug = `anew-${randomUUID()}`
  await server.services.members.setRole(systemActor, { organizationId: first.id as never, userId: who.id, role: 'admin' })
  await server.services.organizations.update(systemActor, first.id as never, { slug })
  const claims = (await refresh(relyingParty, tokens)).claims()
  t.deepEqual(claims?.org_roles, ['admin'])
  t.regex(String(claims?.org_permissions), /members:write/)
  t.is(claims?.org_slug, slug)
})

test('a member who leaves has no tokens of the organization any more, even when they come back; those of others go on', async t => {
  const { relyingParty, who, first, second, person, tokens } = await begin()
  const resource = `${server.issuer}/api/v1`
  const jwt = await authorize(relyingParty, { person, parameters: { organization: first.id, resource, scope: 'openid members:read' } })
  const other = await authorize(relyingParty, { person, parameters: { organization: second.id } })
  const code = await relyingParty.request({ organization: first.id })
  const { location } = await person.follow(await person.get(code.url), redirectUri)
  const ask = () => fetch(`${resource}/organizations/${first.id}/members`, { headers: { authorization: `Bearer ${jwt.access_token}` } })
  t.is((await ask()).status, 200)
  await leave(first.id, who.id)
  t.is(await refusal(client.authorizationCodeGrant(relyingParty.configuration, location as URL, code.checks)), 'invalid_grant')
  t.false(await isActive(relyingParty, tokens.access_token))
  t.is(await refusal(client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)), 'invalid_token')
  t.is((await ask()).status, 401)
  await server.services.members.add(systemActor, { organizationId: first.id as never, userId: who.id, role: 'member' })
  t.is(await refusal(refresh(relyingParty, tokens)), 'invalid_grant')
  t.is((await refresh(relyingParty, other)).claims()?.org_id, second.id)
  t.is((await authorize(relyingParty, { person, parameters: { organization: first.id } })).claims()?.org_id, first.id)
})

test('the tokens of a deleted organization are over', async t => {
  const { relyingParty, first, person, tokens } = await begin()
  const resource = `${server.issuer}/api/v1`
  const jwt = await authorize(relyingParty, { person, parameters: { organization: first.id, resource, scope: 'openid members:read' } })
  await server.services.organizations.remove(systemActor, first.id as never)
  t.false(await isActive(relyingParty, tokens.access_token))
  t.false(await isActive(relyingParty, tokens.refresh_token))
  t.is(await refusal(client.fetchUserInfo(relyingParty.configuration, tokens.access_token, client.skipSubjectCheck)), 'invalid_token')
  t.is(await refusal(refresh(relyingParty, tokens)), 'invalid_grant')
  t.is((await fetch(`${resource}/organizations/${first.id}`, { headers: { authorization: `Bearer ${jwt.access_token}` } })).status, 401)
})

test('a client that is open to members alone refuses everybody else, whatever they ask, and whoever leaves', async t => {
  const owner = await makeUser(server)
  const { id: organizationId } = await makeOrganizationOf(server, owner.id, { role: 'owner' })
  const relyingParty = await makeClient(server, { organizationId, isMembersOnly: true })
  const stranger = await makeMember(server, 1)
  const made = await relyingParty.request()
  const { person } = await (await makeClient(server)).signIn({ who: stranger })
  const refused = await person.follow(await person.get(made.url), redirectUri)
  t.is(refused.location?.searchParams.get('error'), 'access_denied')
  t.is(refused.location?.searchParams.get('error_description'), 'the organization is not available to the End-User')

  await server.services.members.add(systemActor, { organizationId: organizationId as never, userId: stranger.id, role: 'member' })
  const tokens = await authorize(relyingParty, { person, parameters: {} })
  t.is(tokens.claims()?.org_id, undefined)
  t.true(await isActive(relyingParty, tokens.access_token))
  await leave(organizationId, stranger.id)
  t.false(await isActive(relyingParty, tokens.access_token))
  t.is(await refusal(refresh(relyingParty, tokens)), 'invalid_grant')
})

test('a client that becomes open to members alone ends what others have of it', async t => {
  const { id: organizationId } = await makeOrganizationOf(server, (await makeUser(server)).id)
  const relyingParty = await makeClient(server, { organizationId })
  const { tokens } = await relyingParty.signIn({ who: await makeUser(server) })
  const { rows } = await server.services.clientAdministration.list({ organizationId }, { limit: 1, isAscending: true })
  await server.services.clientAdministration.update(systemActor, { id: rows[0]?.id ?? '' }, { isMembersOnly: true, expect: () => undefined })
  t.is(await refusal(refresh(relyingParty, tokens)), 'invalid_grant')
})

test('scope `organizations`, or the claim of that name, tells all that the person is a member of', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const expected = who.organizations.map(({ id, slug }) => ({ id, slug, roles: ['member'] }))
  const plain = (value: unknown) => (value as { id: string; slug: string; roles: string[] }[]).map(({ id, slug, roles }) => ({ id, slug, roles }))
  const { person, tokens } = await relyingParty.signIn({ who, parameters: { scope: 'openid organizations' } })
  const userinfo = await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
  t.deepEqual(plain(userinfo.organizations).sort(byId), expected.sort(byId))
  t.is(tokens.claims()?.organizations, undefined)
  const claims = JSON.stringify({ id_token: { organizations: null } })
  const asked = await authorize(relyingParty, { person, parameters: { scope: 'openid', claims } })
  t.deepEqual(plain(asked.claims()?.organizations).sort(byId), expected)
})

test('an organization that requires a second factor gives no tokens for it without one, to whatever client', async t => {
  const { relyingParty, first, person, tokens } = await begin()
  await server.services.organizations.update(systemActor, first.id as never, { isMfaRequired: true })
  const made = await relyingParty.request({ organization: first.id, prompt: 'none' })
  const { location } = await person.follow(await person.get(made.url), redirectUri)
  t.is(location?.searchParams.get('error'), 'interaction_required')
  t.is(await refusal(refresh(relyingParty, tokens)), 'invalid_grant')
})

test('discovery tells the scopes and claims', async t => {
  const told = (await makeClient(server)).configuration.serverMetadata()
  for (const scope of ['organization', 'organizations']) t.true(told.scopes_supported?.includes(scope), scope)
  for (const claim of ['org_id', 'org_slug', 'org_roles', 'org_permissions', 'organizations']) t.true(told.claims_supported?.includes(claim), claim)
})
