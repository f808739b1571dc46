// Tokens for one organization: named by the client or chosen by the person, refused to everybody else, and over with the membership.
import test from 'ava'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { isPicker, makeMember, makeOrganizationOf } from '../support/organizations.ts'
import { createPerson, type Person } from '../support/person.ts'
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
