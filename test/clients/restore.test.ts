// Clients that were deleted: found, and brought back.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { basic } from '../support/calls.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  admin = await makeAdmin(api)
})
test.after.always(() => api?.close())

const asAdmin = (operation: string, body?: unknown) => api.ask(operation, { token: admin, body })
const machine = { name: 'Machine', grant_types: ['client_credentials'] }
const token = async (id: string, secret: string) =>
  (await api.calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic({ id, secret }) })).status

test('a deleted client is found among the deleted and comes back as it was', async t => {
  const { client, secret } = (await asAdmin('POST /clients', machine)).data
  t.is((await asAdmin(`DELETE /clients/${client.id}`)).status, 200)
  const listed = async (status: string) => (await asAdmin(`GET /clients?status=${status}&q=${client.client_id}`)).data.map(({ id }: { id: string }) => id)
  t.deepEqual([await listed('deleted'), await listed('active')], [[client.id], []])
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 200)
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 404)
  t.deepEqual([await listed('deleted'), await listed('active')], [[], [client.id]])
  await sleep(1100)
  t.is(await token(client.client_id, secret), 200)
})

test('a client of a deleted organization, or one deleted long ago, does not come back', async t => {
  const organization = (await asAdmin('POST /organizations', { name: 'Short-lived' })).data
  const { client } = (await asAdmin(`POST /organizations/${organization.id}/clients`, machine)).data
  const path = `/organizations/${organization.id}/clients/${client.id}`
  t.is((await asAdmin(`DELETE ${path}`)).status, 200)
  t.is((await asAdmin(`POST ${path}/restore`)).status, 200)
  await asAdmin(`DELETE ${path}`)
  const { prisma } = api.server.resources.database
  await prisma.client.update({ where: { id: client.id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  t.is((await asAdmin(`POST ${path}/restore`)).status, 404)
  await prisma.client.update({ where: { id: client.id }, data: { deletedAt: new Date() } })
  await asAdmin(`DELETE /organizations/${organization.id}`)
  t.is((await asAdmin(`POST /clients/${client.id}/restore`)).status, 409)
  const deleted = (await asAdmin('GET /organizations?status=deleted&q=Short-lived')).data
  t.deepEqual(
    deleted.map(({ id }: { id: string }) => id),
    [organization.id],
  )
})
