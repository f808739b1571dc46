// An organization that requires a second factor requires it over the API too: of people in whatever session, and of nobody else.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient } from '../support/clients.ts'
import { enterPassword, go, open } from '../support/factor-journeys.ts'
import { enrolTotp } from '../support/factors.ts'
import { createPerson, type Person } from '../support/person.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const refusal = /^This needs a session with two factors/
const switchOn = (id: string) => api.server.services.organizations.update(systemActor, id as never, { isMfaRequired: true })

/** An organization whose owner signed in by password before it required a factor. */
const begin = async () => {
  const owner = await api.signIn()
  const { id } = await api.server.services.organizations.create(systemActor, { name: `Careful ${randomUUID()}`, ownerId: owner.id })
  return { owner, id, at: `/organizations/${id}`, factor: await enrolTotp(api.server, owner) }
}
const prove = async ({ owner, factor }: Awaited<ReturnType<typeof begin>>) =>
  api.ask('POST /auth/reauthenticate', { token: owner.token, body: { factor: 'totp', code: await factor.code() } })

test('a session of one factor from before the switch reaches nothing within the organization, and one of two does', async t => {
  const place = await begin()
  const { owner, id, at } = place
  await switchOn(id)
  const operations = api.server.app.api.routes.filter(
    ({ within, method, path }) => within === 'organization' && !(method === 'DELETE' && path.endsWith('/:userId')),
  )
  t.true(operations.length > 20)
  for (const { method, path } of operations) {
    const reply = await api.ask(`${method} ${path.replace(':id', id).replaceAll(/:\w+/g, () => randomUUID())}`, { token: owner.token })
    t.is(reply.status, 403, `${method} ${path}`)
    t.is(reply.error?.type, 'FORBIDDEN')
    t.regex(reply.message, refusal, `${method} ${path}`)
  }
  for (const operation of [`GET /api-keys?organization_id=${id}`, `DELETE ${at}/members/${randomUUID()}`])
    t.regex((await api.ask(operation, { token: owner.token })).message, refusal, operation)
  t.is((await prove(place)).status, 200)
  t.is((await api.ask(`GET ${at}`, { token: owner.token })).status, 200)
  t.is((await api.ask(`PATCH ${at}`, { token: owner.token, body: { name: 'Renamed' } })).status, 200)
})

test('other organizations, the list of one’s own and leaving stay open', async t => {
  const place = await begin()
  const easy = await api.server.services.organizations.create(systemActor, { name: 'Easy', ownerId: place.owner.id })
  const member = await api.signIn()
  await api.server.services.members.add(systemActor, { organizationId: place.id, userId: member.id, role: 'member' })
  await switchOn(place.id)
  t.is((await api.ask(`GET /organizations/${easy.id}`, { token: place.owner.token })).status, 200)
  const ids = (await api.ask('GET /organizations', { token: place.owner.token })).data.map((one: { id: string }) => one.id)
  t.deepEqual(ids.toSorted(), [easy.id, place.id].toSorted())
  t.is((await api.ask('GET /users/me/organizations', { token: member.token })).data.length, 1)
  t.is((await api.ask(`GET ${place.at}`, { token: member.token })).status, 403)
  t.is((await api.ask(`DELETE ${place.at}/members/${member.id}`, { token: member.token })).status, 200)
})

test('keys and clients for themselves, and administrators of the system who are no members, pass', async t => {
  const { id, at } = await begin()
  const root = await makeAdmin(api)
  await switchOn(id)
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Key', permissions: ['organizations:read'], organizationId: id })
  const machine = await makeClient(api.server, { organizationId: id, apiPermissions: ['organizations:read'], grantTypes: ['client_credentials'] })
  const { access_token } = await client.clientCredentialsGrant(machine.configuration, { scope: 'organizations:read', resource: `${api.server.issuer}/api/v1` })
  for (const token of [key, access_token, root]) t.is((await api.ask(`GET ${at}`, { token })).status, 200)
})

const browser = ({ cookies }: Person) => ({
  'sec-fetch-site': 'same-origin',
  cookie: [...cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '),
})

test('a browser’s session and an app’s token count by what was proven in the sign-in', async t => {
  const place = await begin()
  const app = await makeClient(api.server)
  const resource = `${api.server.issuer}/api/v1`
  const parameters = { scope: 'openid organizations:read', resource }
  const person = createPerson()
  const weak = await open(person, app, parameters)
  const page = await enterPassword(person, weak.page, { ...place.owner, password: 'a long enough password' })
  const back = await go(person, page, { code: await place.factor.code() })
  const strong = await client.authorizationCodeGrant(app.configuration, back.location as URL, weak.checks, { resource })
  const member = await api.signIn()
  await api.server.services.members.add(systemActor, { organizationId: place.id, userId: member.id, role: 'member' })
  const other = createPerson()
  const asked = await open(other, app, parameters)
  const landed = await enterPassword(other, asked.page, { ...member, password: 'a long enough password' })
  const single = await client.authorizationCodeGrant(app.configuration, landed.location as URL, asked.checks, { resource })
  await switchOn(place.id)
  t.is((await api.ask(`GET ${place.at}`, { token: strong.access_token })).status, 200)
  t.is((await api.ask(`GET ${place.at}`, { headers: browser(person) })).status, 200)
  for (const caller of [{ token: single.access_token }, { headers: browser(other) }]) t.regex((await api.ask(`GET ${place.at}`, caller)).message, refusal)
  t.is((await api.ask('GET /organizations', { token: single.access_token })).status, 403, 'an app sees none')
})

test('nobody requires a factor of others in a session without one, and whoever proved theirs does', async t => {
  const place = await begin()
  const root = await makeAdmin(api)
  const { key } = await api.server.services.apiKeys.create(systemActor, { name: 'Key', permissions: ['organizations:write'], organizationId: place.id })
  const body = { mfa_required: true }
  for (const token of [place.owner.token, root])
    for (const path of ['', '/settings']) {
      const reply = await api.ask(`PATCH ${place.at}${path}`, { token, body })
      t.is(reply.status, 403)
      t.regex(reply.message, refusal)
    }
  t.is((await api.ask(`PATCH ${place.at}`, { token: key, body })).status, 200)
  t.is((await prove(place)).status, 200)
  t.is((await api.ask(`PATCH ${place.at}/settings`, { token: place.owner.token, body: { mfa_required: false } })).status, 200)
  t.is((await api.ask(`PATCH ${place.at}/settings`, { token: place.owner.token, body })).status, 200)
  t.is((await api.ask(`GET ${place.at}`, { token: place.owner.token })).data.mfa_required, true)
})
