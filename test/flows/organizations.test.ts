// Tokens for one organization: named by the client or chosen by the person, refused to everybody else, asked again when refreshed, over with
// the membership; and consented to for each organization apart.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { isPicker, makeMember, makeOrganizationOf } from '../support/organizations.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { together } from '../support/race.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const api = () => `${server.issuer}/api/v1`
const visit = async ({ request }: TestClient, { person, parameters = {} }: { person: Person; parameters?: Record<string, string> }) => {
  const made = await request(parameters)
  return { ...made, answer: await person.follow(await person.get(made.url), redirectUri) }
}
const told = ({ location }: { location?: URL | undefined }) => ({
  error: location?.searchParams.get('error'),
  description: location?.searchParams.get('error_description'),
})
const redeem = ({ configuration }: TestClient, { answer, checks }: Awaited<ReturnType<typeof visit>>) =>
  client.authorizationCodeGrant(configuration, answer.location as URL, checks)

test('`organization` names it by id or slug; its claims are in the ID token, at userinfo and in the access token, and roles and permissions are the person’s', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const [first, second] = who.organizations
  const { person, tokens } = await relyingParty.signIn({ who, parameters: { organization: first?.id ?? '' } })
  const id = tokens.claims()
  t.deepEqual([id?.org_id, id?.org_slug, id?.org_roles], [first?.id, first?.slug, ['member']])
  t.deepEqual(id?.org_permissions, ['organizations:read', 'members:read', 'roles:read'])
  const userinfo = await client.fetchUserInfo(relyingParty.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.is(userinfo.org_id, first?.id)
  t.is((await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)).org_id, first?.id)
  t.is(userinfo.organizations, undefined)

  const resource = api()
  const bySlug = await visit(relyingParty, { person, parameters: { organization: second?.slug ?? '', resource, scope: 'openid members:read' } })
  const jwt = await redeem(relyingParty, bySlug)
  const claims = decodeJwt(jwt.access_token)
  t.deepEqual([claims.org_id, claims.org_slug, claims.org_roles], [second?.id, second?.slug, ['member']])
  const ask = (id: string | undefined) => fetch(`${api()}/organizations/${id}/members`, { headers: { authorization: `Bearer ${jwt.access_token}` } })
  t.is((await ask(second?.id)).status, 200)
  t.is((await ask(first?.id)).status, 404)
})

test('without `organization` and its scope tokens are for none, also where the person belongs to one', async t => {
  const relyingParty = await makeClient(server)
  const { tokens } = await relyingParty.signIn({ who: await makeMember(server, 1) })
  t.is(tokens.claims()?.org_id, undefined)
  t.is((await client.tokenIntrospection(relyingParty.configuration, tokens.access_token)).org_id, undefined)
})

test('one that is not the person’s, is deleted, or is none is refused alike, once the person is signed in', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 1)
  const [gone] = who.organizations
  const foreign = await makeOrganizationOf(server, (await makeUser(server)).id)
  await server.services.organizations.remove(systemActor, gone?.id as never)
  const { person } = await relyingParty.signIn({ who })
  const expected = { error: 'access_denied', description: 'the organization is not available to the End-User' }
  for (const organization of [foreign.id, foreign.slug, gone?.id ?? '', gone?.slug ?? '', 'no-such', 'No such!', '%'])
    t.deepEqual(told((await visit(relyingParty, { person, parameters: { organization } })).answer), expected, organization)
  t.deepEqual(told((await visit(relyingParty, { person, parameters: { organization: foreign.id, prompt: 'none' } })).answer), expected)
  t.is(told((await visit(relyingParty, { person: createPerson(), parameters: { organization: foreign.id, prompt: 'none' } })).answer).error, 'login_required')
  t.is((await visit(relyingParty, { person: createPerson(), parameters: { organization: 'no-such' } })).answer.status, 200)
})

test('scope `organization` takes the only one, and refuses whoever has none', async t => {
  const relyingParty = await makeClient(server)
  const parameters = { scope: 'openid organization' }
  const who = await makeMember(server, 1)
  const { tokens } = await relyingParty.signIn({ who, parameters })
  t.is(tokens.claims()?.org_id, who.organizations[0]?.id)
  const none = await makeUser(server)
  const made = await relyingParty.request(parameters)
  t.is((await createPerson().authorize(made.url, { ...none, redirectUri })).searchParams.get('error'), 'access_denied')
})

test('whoever has several chooses one, which is remembered in the session for the client until select_account asks again', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const [first, second] = who.organizations
  const parameters = { scope: 'openid organization' }
  const { person } = await relyingParty.signIn({ who, parameters: { scope: 'openid' } })
  t.is(told((await visit(relyingParty, { person, parameters: { ...parameters, prompt: 'none' } })).answer).error, 'interaction_required')
  const asked = await visit(relyingParty, { person, parameters })
  t.true(isPicker(asked.answer))
  t.true(asked.answer.body.includes(who.email))
  const foreign = await makeOrganizationOf(server, (await makeUser(server)).id)
  const wrong = await person.submit(asked.answer, { organization: foreign.id })
  t.is(wrong.status, 404)
  t.true(isPicker(wrong))
  const answer = await person.follow(await person.submit(wrong, { organization: second?.id ?? '' }), redirectUri)
  t.is((await redeem(relyingParty, { ...asked, answer })).claims()?.org_id, second?.id)

  const silent = await visit(relyingParty, { person, parameters: { ...parameters, prompt: 'none' } })
  t.is((await redeem(relyingParty, silent)).claims()?.org_id, second?.id)
  const named = await visit(relyingParty, { person, parameters: { ...parameters, organization: first?.id ?? '' } })
  t.is((await redeem(relyingParty, named)).claims()?.org_id, first?.id)
  const after = await visit(relyingParty, { person, parameters: { ...parameters, prompt: 'none' } })
  t.is((await redeem(relyingParty, after)).claims()?.org_id, second?.id)
  const other = await makeClient(server)
  t.is(told((await visit(other, { person, parameters: { ...parameters, prompt: 'none' } })).answer).error, 'interaction_required')

  let page = (await visit(relyingParty, { person, parameters: { ...parameters, prompt: 'select_account' } })).answer
  page = await person.follow(await person.submit(page, { username: who.email }), redirectUri)
  page = await person.follow(await person.submit(page, { password: who.password }), redirectUri)
  t.true(isPicker(page))
})

test('the picker can be cancelled, and left for another account', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const { person } = await relyingParty.signIn({ who, parameters: { scope: 'openid' } })
  const cancelled = await visit(relyingParty, { person, parameters: { scope: 'openid organization' } })
  t.is(told(await person.follow(await person.press(cancelled.answer, '/cancel"'), redirectUri)).error, 'access_denied')
  const left = await visit(relyingParty, { person, parameters: { scope: 'openid organization' } })
  t.true((await person.follow(await person.press(left.answer, '/switch"'), redirectUri)).body.includes('name="username"'))
})

test('more than twenty are searched and shown page by page', async t => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 21)
  const target = await makeOrganizationOf(server, who.id, { name: 'Zebra 100%' })
  const { person } = await relyingParty.signIn({ who, parameters: { scope: 'openid' } })
  const asked = await visit(relyingParty, { person, parameters: { scope: 'openid organization' } })
  const count = ({ body }: { body: string }) => body.split('name="organization"').length - 1
  t.is(count(asked.answer), 20)
  const at = (query: string) => person.get(new URL(`${asked.answer.url.pathname}/organization?${query}`, asked.answer.url))
  t.is(count(await at('page=2')), 2)
  t.is(count(await at('q=%25')), 1)
  t.is(count(await at('q=no+such')), 0)
  for (const nonsense of ['page=-1', 'page=x', `q=${'x'.repeat(500)}`, 'q=1&q=2']) t.is((await at(nonsense)).status, 200, nonsense)
  const answer = await person.follow(await person.submit(await at('q=zebra'), { organization: target.id }), redirectUri)
  t.is((await redeem(relyingParty, { ...asked, answer })).claims()?.org_id, target.id)
})

test('pushed and signed requests name it too', async t => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const relyingParty = await makeClient(server, { metadata: { jwks: { keys: [key] } } })
  const who = await makeMember(server, 1)
  const { person } = await relyingParty.signIn({ who })
  const organization = who.organizations[0]?.slug ?? ''
  const made = await relyingParty.request({ organization })
  const parameters = Object.fromEntries(made.url.searchParams)
  const pushed = await client.buildAuthorizationUrlWithPAR(relyingParty.configuration, parameters)
  const signed = await client.buildAuthorizationUrlWithJAR(relyingParty.configuration, parameters, { key: privateKey, kid: 'one' })
  for (const url of [pushed, signed]) {
    const answer = await person.follow(await person.get(url), redirectUri)
    t.is((await redeem(relyingParty, { ...made, answer })).claims()?.org_slug, organization)
  }
})

test('a device gets tokens for the organization that it names, and access_denied for another', async t => {
  const device = await makeClient(server, { authenticationMethod: 'none', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] })
  const who = await makeMember(server, 1)
  const { person } = await (await makeClient(server)).signIn({ who })
  for (const organization of [who.organizations[0]?.slug ?? '', 'no-such']) {
    const started = await client.initiateDeviceAuthorization(device.configuration, { scope: 'openid', organization })
    const page = await person.submit(await person.get(`${server.issuer}/device`), { user_code: started.user_code })
    await person.follow(await person.press(page, 'name="confirm"'), 'none:')
    const work = client.genericGrantRequest(device.configuration, 'urn:ietf:params:oauth:grant-type:device_code', { device_code: started.device_code })
    if (organization === 'no-such') t.is(await refusal(work), 'access_denied')
    else t.is((await work).claims()?.org_slug, organization)
  }
})

const authorize = async (relyingParty: TestClient, { person, parameters }: { person: Person; parameters: Record<string, string> }) => {
  const made = await relyingParty.request(parameters)
  const { location } = await person.follow(await person.get(made.url), redirectUri)
  return client.authorizationCodeGrant(relyingParty.configuration, location as URL, made.checks)
}
const refresh = ({ configuration }: TestClient, { refresh_token = '' }: { refresh_token?: string | undefined }) =>
  client.refreshTokenGrant(configuration, refresh_token)
const isActive = async ({ configuration }: TestClient, token = '') => (await client.tokenIntrospection(configuration, token)).active
/** Signs a member of two in for the first, with tokens that are bound to the session. */
const beginInTwo = async () => {
  const relyingParty = await makeClient(server)
  const who = await makeMember(server, 2)
  const [first = { id: '', slug: '' }, second = { id: '', slug: '' }] = who.organizations
  const { person, tokens } = await relyingParty.signIn({ who, parameters: { organization: first.id } })
  return { relyingParty, who, first, second, person, tokens }
}
const leave = (organizationId: string, userId: string) => server.services.members.remove(systemActor, { organizationId: organizationId as never, userId })

test('asking for another organization, or none, in the same session changes no tokens of the first', async t => {
  const { relyingParty, first, second, person, tokens } = await beginInTwo()
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
  const { relyingParty, second, person, tokens } = await beginInTwo()
  const other = await authorize(relyingParty, { person, parameters: { organization: second.id } })
  const page = await person.get(client.buildEndSessionUrl(relyingParty.configuration))
  await person.follow(await person.submit(page, { logout: 'yes' }), 'none:')
  for (const given of [tokens, other]) {
    t.false(await isActive(relyingParty, given.access_token))
    t.is(await refusal(refresh(relyingParty, given)), 'invalid_grant')
  }
})

test('of twenty requests of one session for two organizations and none, all tokens live', async t => {
  const { relyingParty, first, second, person } = await beginInTwo()
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
  const { relyingParty, who, first, tokens } = await beginInTwo()
  const slug = `anew-${randomUUID()}`
  await server.services.members.setRole(systemActor, { organizationId: first.id as never, userId: who.id, role: 'admin' })
  await server.services.organizations.update(systemActor, first.id as never, { slug })
  const claims = (await refresh(relyingParty, tokens)).claims()
  t.deepEqual(claims?.org_roles, ['admin'])
  t.regex(String(claims?.org_permissions), /members:write/)
  t.is(claims?.org_slug, slug)
})

test('a member who leaves has no tokens of the organization any more, even when they come back; those of others go on', async t => {
  const { relyingParty, who, first, second, person, tokens } = await beginInTwo()
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
  const { relyingParty, first, person, tokens } = await beginInTwo()
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
  const { relyingParty, first, person, tokens } = await beginInTwo()
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

const isConsent = (answer: Answer) => answer.body.includes('name="decision"')
type Visit = Awaited<ReturnType<typeof visit>>
const errorOf = ({ answer }: Visit) => answer.location?.searchParams.get('error')
const allow = async (relyingParty: TestClient, { person, asked }: { person: Person; asked: Visit }) => {
  const answer = isConsent(asked.answer) ? await person.follow(await person.submit(asked.answer, { decision: 'allow' }), redirectUri) : asked.answer
  return client.authorizationCodeGrant(relyingParty.configuration, answer.location as URL, asked.checks)
}
/** A member of two at a client that is asked for consent, signed in elsewhere. */
const beginShopping = async (count = 2) => {
  const shop = await makeClient(server, { isFirstParty: false, name: 'The shop' })
  const who = await makeMember(server, count)
  const { person } = await (await makeClient(server)).signIn({ who, parameters: { scope: 'openid' } })
  const [first = { id: '', slug: '' }, second = { id: '', slug: '' }] = who.organizations
  return { shop, who, person, first, second }
}

test('consent given in one organization is none in another, nor without one, and each is remembered in every browser', async t => {
  const { shop, who, person, first, second } = await beginShopping()
  const asked = await visit(shop, { person, parameters: { organization: first.id } })
  t.true(isConsent(asked.answer))
  t.regex(asked.answer.body, /This is for/)
  t.is((await allow(shop, { person, asked })).claims()?.org_id, first.id)
  t.is(errorOf(await visit(shop, { person, parameters: { organization: second.id, prompt: 'none' } })), 'consent_required')
  t.is(errorOf(await visit(shop, { person, parameters: { prompt: 'none' } })), 'consent_required')
  const again = await visit(shop, { person, parameters: { organization: first.id, prompt: 'none' } })
  t.is((await allow(shop, { person, asked: again })).claims()?.org_id, first.id)

  const elsewhere = createPerson()
  await (await makeClient(server)).signIn({ who, person: elsewhere, parameters: { scope: 'openid' } })
  t.false(isConsent((await visit(shop, { person: elsewhere, parameters: { organization: first.id } })).answer))
  t.true(isConsent((await visit(shop, { person: elsewhere, parameters: { organization: second.id } })).answer))
})

test('the person chooses, then consents to the chosen one, whatever is chosen elsewhere in the meantime', async t => {
  const { shop, person, first, second } = await beginShopping()
  const parameters = { scope: 'openid organization' }
  const one = await visit(shop, { person, parameters })
  const other = await visit(shop, { person, parameters })
  const oneConsent = await person.follow(await person.submit(one.answer, { organization: first.id }), redirectUri)
  const otherConsent = await person.follow(await person.submit(other.answer, { organization: second.id }), redirectUri)
  t.true(isConsent(oneConsent) && isConsent(otherConsent))
  t.is((await allow(shop, { person, asked: { ...one, answer: oneConsent } })).claims()?.org_id, first.id)
  t.is((await allow(shop, { person, asked: { ...other, answer: otherConsent } })).claims()?.org_id, second.id)
})

test('twenty consents of one session for two organizations, given at once, all give living tokens of their own', async t => {
  const { shop, person, first, second } = await beginShopping()
  const asked: { organization: string; asked: Visit }[] = []
  for (let index = 0; index < 20; index += 1) {
    const organization = index % 2 === 0 ? first.id : second.id
    asked.push({ organization, asked: await visit(shop, { person, parameters: { organization } }) })
  }
  const decided = await Promise.all(asked.map(async one => ({ ...one, decided: await person.submit(one.asked.answer, { decision: 'allow' }) })))
  const given: { organization: string; tokens: Awaited<ReturnType<typeof allow>> }[] = []
  // One after the other: a browser has one session cookie, which each return renews.
  for (const { organization, asked, decided: answer } of decided) {
    const back = await person.follow(answer, redirectUri)
    given.push({ organization, tokens: await allow(shop, { person, asked: { ...asked, answer: back } }) })
  }
  for (const { organization, tokens } of given) {
    t.is(tokens.claims()?.org_id, organization)
    t.is((await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')).claims()?.org_id, organization)
  }
})

test('prompt=consent asks again and shows everything asked, also what is granted already', async t => {
  const { shop, person } = await beginShopping()
  await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email' } }) })
  const more = await visit(shop, { person, parameters: { scope: 'openid email organizations' } })
  t.notRegex(more.answer.body, /See your email address/)
  t.regex(more.answer.body, /See your organizations/)
  const again = await visit(shop, { person, parameters: { scope: 'openid email organizations', prompt: 'consent' } })
  for (const shown of [/See your email address/, /Know who you are/, /See your organizations/]) t.regex(again.answer.body, shown)
})

test('a token carries the scopes of its own request, however much was granted before, and so does what is refreshed', async t => {
  const { shop, person } = await beginShopping()
  await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email profile organizations' } }) })
  const tokens = await allow(shop, { person, asked: await visit(shop, { person, parameters: { scope: 'openid email' } }) })
  t.is(tokens.scope, 'openid email')
  const userinfo = await client.fetchUserInfo(shop.configuration, tokens.access_token, tokens.claims()?.sub ?? '')
  t.deepEqual(Object.keys(userinfo).sort(), ['email', 'email_verified', 'sub'])
  const refreshed = await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')
  t.is(refreshed.scope, 'openid email')
  t.is(await refusal(client.refreshTokenGrant(shop.configuration, refreshed.refresh_token ?? '', { scope: 'openid profile' })), 'invalid_scope')
})

test('what the person denies for one organization stays denied there and changes nothing in another', async t => {
  const { shop, person, first, second } = await beginShopping()
  const tokens = await allow(shop, { person, asked: await visit(shop, { person, parameters: { organization: first.id } }) })
  const asked = await visit(shop, { person, parameters: { organization: second.id } })
  const denied = await person.follow(await person.submit(asked.answer, { decision: 'deny' }), redirectUri)
  t.is(denied.location?.searchParams.get('error'), 'access_denied')
  t.is(errorOf(await visit(shop, { person, parameters: { organization: second.id, prompt: 'none' } })), 'consent_required')
  t.is((await client.refreshTokenGrant(shop.configuration, tokens.refresh_token ?? '')).claims()?.org_id, first.id)
})

test('the account centre tells the organization of each consent, and takes it back by itself', async t => {
  const { shop, who, person, first } = await beginShopping(1)
  const inFirst = await allow(shop, { person, asked: await visit(shop, { person, parameters: { organization: first.id } }) })
  const inNone = await allow(shop, { person, asked: await visit(shop, { person }) })
  const page = await person.follow(await person.get(`${server.issuer}/account/apps`), 'none:')
  t.regex(page.body, /for <bdi>Works/)
  const listed = await server.services.consents.list(who.id)
  const ofShop = listed.filter(({ clientId }) => clientId === shop.clientId)
  t.deepEqual(ofShop.map(({ organization }) => organization?.id ?? null).sort(), [first.id, null].sort())
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(page.body) ?? []
  await person.post(page.url, { csrf, client: shop.clientId, organization: first.id })
  t.is(await refusal(client.refreshTokenGrant(shop.configuration, inFirst.refresh_token ?? '')), 'invalid_grant')
  t.truthy((await client.refreshTokenGrant(shop.configuration, inNone.refresh_token ?? '')).access_token)
  t.is(errorOf(await visit(shop, { person, parameters: { organization: first.id, prompt: 'none' } })), 'consent_required')
  t.truthy((await visit(shop, { person, parameters: { prompt: 'none' } })).answer.location?.searchParams.get('code'))
})
