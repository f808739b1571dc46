// What an app may carry of a person: of an organization's app that organization alone, of the system's only what its maker held.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { password, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'
import { createPerson } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const resource = () => `${api.server.issuer}/api/v1`
const makeRoot = async () => {
  const root = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, root.id as never, { isAdmin: true })
  return root
}
const consented = async (app: Awaited<ReturnType<typeof makeClient>>, { email, scope }: { email: string; scope: string }) => {
  const made = await app.request({ scope: `openid ${scope}`, resource: resource() })
  const back = await createPerson().authorize(made.url, { email, password, redirectUri })
  return (await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource: resource() })).access_token
}

test('a first-party app that an organization administers gets no token for the management API in silence', async t => {
  const [root, { id: organizationId }] = [await makeRoot(), await makeOrganization(api)]
  const app = await makeClient(api.server, { organizationId })
  const { person } = await app.signIn({ who: { email: root.email, password } })
  const silent = await app.request({ prompt: 'none', scope: 'openid users:write', resource: resource() })
  const back = await person.get(silent.url)
  t.is(await refusal(client.authorizationCodeGrant(app.configuration, back.location as URL, silent.checks)), 'consent_required')
})

test('an app of an organization carries nothing of the system, also where an administrator consents', async t => {
  const [root, { id: organizationId }] = [await makeRoot(), await makeOrganization(api)]
  for (const isFirstParty of [true, false]) {
    const app = await makeClient(api.server, { organizationId, isFirstParty })
    const token = await consented(app, { email: root.email, scope: 'users:read users:write organizations:list' })
    for (const operation of ['GET /users', 'GET /organizations']) t.is((await api.ask(operation, { token })).status, 403, operation)
    t.is((await api.ask('POST /users', { token, body: { email: 'x@people.example' } })).status, 403)
  }
})

test('an app of one organization sees none of the others that its person belongs to', async t => {
  const [mine, other] = [await makeOrganization(api), await makeOrganization(api)]
  await api.server.services.members.add(systemActor, { organizationId: other.id, userId: mine.owner.id, role: 'owner' })
  const app = await makeClient(api.server, { organizationId: mine.id })
  const token = await consented(app, { email: mine.owner.email, scope: 'members:read api_keys:write' })
  t.is((await api.ask(`GET ${mine.base}/members`, { token })).status, 200)
  t.is((await api.ask(`GET ${other.base}/members`, { token })).status, 404)
  const key = (organization_id: string, permissions: string[]) => api.ask('POST /api-keys', { token, body: { name: 'x', organization_id, permissions } })
  t.is((await key(other.id, ['members:read'])).status, 404)
  t.is((await key(mine.id, ['members:write'])).status, 403, 'a key that outlives the token has no more than the token')
  t.is((await key(mine.id, ['members:read'])).status, 201)
})

test('who holds less than an administrator makes no first-party app of the system, nor redirects one', async t => {
  const root = await makeRoot()
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'x', permissions: ['clients:read', 'clients:write'] })
  const body = { name: 'x', redirect_uris: ['https://evil.example/'] }
  const app = await makeClient(api.server)
  const narrow = await consented(app, { email: root.email, scope: 'clients:write' })
  for (const token of [key, narrow]) {
    t.is((await api.ask('POST /clients', { token, body: { ...body, first_party: true } })).status, 403)
    t.is((await api.ask(`PATCH /clients/${app.clientId}`, { token, body: { redirect_uris: body.redirect_uris } })).status, 403)
    t.is((await api.ask(`POST /clients/${app.clientId}/secrets`, { token, body: {} })).status, 403)
    const { data } = await api.ask('POST /clients', { token, body })
    t.is((await api.ask(`PATCH /clients/${data.client.id}`, { token, body: { first_party: true } })).status, 403)
  }
  t.is((await api.ask('POST /clients', { token: root.token, body: { ...body, first_party: true } })).status, 201)
})

test('an app is shown the organizations that it was given to see, and without any is refused', async t => {
  const { owner, id } = await makeOrganization(api)
  const app = await makeClient(api.server)
  t.is((await api.ask('GET /organizations', { token: await consented(app, { email: owner.email, scope: 'members:read' }) })).status, 403)
  const { status, data } = await api.ask('GET /organizations', { token: await consented(app, { email: owner.email, scope: 'organizations:read' }) })
  t.deepEqual([status, data.map((one: { id: string }) => one.id)], [200, [id]])
  t.deepEqual((await api.ask('GET /organizations', { token: (await api.signIn()).token })).data, [])
})
