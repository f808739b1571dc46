// Organizations: made, named, changed, deleted with their clients, restored, forgotten.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { clientBelongings } from '../../src/clients/belongings.ts'
import { createOrganizations } from '../../src/organizations/organizations.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { TransactionClient } from '../../src/platform/data/database.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(() => api?.close())

test('a slug is made from the name, and another one where it is taken', async t => {
  const { token } = await api.signIn()
  const make = async (name: string) => (await api.ask('POST /organizations', { token, body: { name } })).data.slug
  t.is(await make('Crème & Brûlée  GmbH'), 'creme-brulee-gmbh')
  t.regex(await make('Crème & Brûlée  GmbH'), /^creme-brulee-gmbh-[0-9a-f]{6}$/)
  t.is(await make('日本語'), 'organization')
})

test('a slug is unique among the living', async t => {
  const { token } = await api.signIn()
  const make = () => api.ask('POST /organizations', { token, body: { name: 'One', slug: 'only-one' } })
  const first = await make()
  t.is((await make()).status, 409)
  t.is((await api.ask(`DELETE /organizations/${first.data.id}`, { token })).status, 200)
  t.is((await make()).status, 201)
  t.is((await api.ask(`POST /organizations/${first.data.id}/restore`, { token: admin })).status, 409)
  for (const slug of ['', 'Upper', 'a--b', '-a', 'a_b', 'a'.repeat(64)])
    t.is((await api.ask('POST /organizations', { token, body: { name: 'x', slug } })).status, 400, slug)
})

test('twenty who ask for one slug at once make one organization', async t => {
  const { token } = await api.signIn()
  const replies = await Promise.all(Array.from({ length: 20 }, () => api.ask('POST /organizations', { token, body: { name: 'Race', slug: 'the-race' } })))
  t.deepEqual(replies.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 409)])
})

test('a person sees their own organizations, an administrator of the system all', async t => {
  const [mine, other] = [await api.signIn(), await api.signIn()]
  const { data } = await api.ask('POST /organizations', { token: mine.token, body: { name: 'Only mine', description: 'Ours' } })
  t.deepEqual(
    (await api.ask('GET /organizations', { token: mine.token })).data.map((one: { id: string }) => one.id),
    [data.id],
  )
  t.deepEqual((await api.ask('GET /organizations', { token: other.token })).data, [])
  for (const q of ['only%20mine', 'only+mine']) t.is((await api.ask(`GET /organizations?q=${q}`, { token: admin })).meta?.total, 1, q)
  t.is((await api.ask('GET /organizations')).status, 401)
  const changed = await api.ask(`PATCH /organizations/${data.id}`, { token: mine.token, body: { description: null } })
  t.is(changed.data.description, null)
  t.is((await api.ask(`GET /organizations/${data.id}`, { token: other.token })).status, 404)
})

test('deleting an organization disables its clients at once, restoring it brings them back', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /organizations', { token, body: { name: 'With clients' } })
  const { configuration } = await makeClient(api.server, { organizationId: data.id, grantTypes: ['client_credentials'] })
  const asked = () => client.clientCredentialsGrant(configuration)
  t.truthy((await asked()).access_token)
  t.is((await api.ask(`DELETE /organizations/${data.id}`, { token })).status, 200)
  await sleep(1100)
  t.is(await refusal(asked()), 'invalid_client')
  t.is((await api.ask(`GET /organizations/${data.id}`, { token })).status, 404)
  t.is((await api.ask(`POST /organizations/${data.id}/restore`, { token })).status, 403)
  t.is((await api.ask(`POST /organizations/${data.id}/restore`, { token: admin })).status, 200)
  await sleep(1100)
  t.truthy((await asked()).access_token)
})

test.serial('an organization that is forgotten is locked before its clients, as everybody does who changes one', async t => {
  const { services, resources } = api.server
  const { id } = await services.organizations.create(systemActor, { name: 'Locked first' })
  await services.organizations.remove(systemActor, id)
  await resources.database.prisma.organization.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 32 * 86_400_000) } })
  const locked: unknown[] = []
  const release = async (tx: TransactionClient, organizationId: string) => {
    const rows = await tx.$queryRaw<{ is_ours: boolean }[]>`
      SELECT xmax = pg_current_xact_id()::xid AS is_ours FROM organizations WHERE id = ${organizationId}::uuid`
    if (organizationId === id) locked.push(...rows)
  }
  const { now, randomBytes, database } = resources
  const organizations = createOrganizations({
    database,
    change: services.change,
    now,
    randomBytes,
    belongings: { ...clientBelongings, release },
    forgetSettings: () => {},
  })
  await organizations.purge(systemActor, 100)
  t.deepEqual(locked, [{ is_ours: true }])
})

test.serial('of five processes that forget at once each organization is forgotten by one, and none of them fails', async t => {
  const { services, resources } = api.server
  const made = await Promise.all(Array.from({ length: 4 }, (_, index) => services.organizations.create(systemActor, { name: `Due ${index}` })))
  const ids = made.map(({ id }) => id)
  for (const id of ids) await services.organizations.remove(systemActor, id)
  await resources.database.prisma.organization.updateMany({ where: { id: { in: ids } }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  const purged = await Promise.all(Array.from({ length: 5 }, () => services.organizations.purge(systemActor, 100)))
  t.is(
    purged.reduce((sum, count) => sum + count, 0),
    ids.length,
  )
  t.is(await resources.database.prisma.organization.count({ where: { id: { in: ids } } }), 0)
})

test.serial('an organization that was deleted 30 days ago is forgotten, and its client identifiers stay taken', async t => {
  const { services, resources } = api.server
  const { id } = await services.organizations.create(systemActor, { name: 'Long gone' })
  const { clientId } = await makeClient(api.server, { organizationId: id })
  await services.organizations.remove(systemActor, id)
  await resources.database.prisma.organization.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  await services.organizations.purge(systemActor, 100)
  t.is(await resources.database.prisma.organization.count({ where: { id } }), 0)
  t.like(await resources.database.prisma.client.findUnique({ where: { clientId }, include: { secrets: true } }), {
    name: '',
    organizationId: null,
    secrets: [],
  })
})
