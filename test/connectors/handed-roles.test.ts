// Roles that connections hand out: followed when they are renamed, and kept as long as somebody may get them.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { handedOutRoles } from '../../src/connectors/handed-roles.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { plant } from '../support/canaries.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const make = async () => {
  const place = await makeOrganization(api)
  for (const name of ['guest', 'chief']) await place.asOwner('POST /roles', { name, permissions: ['organizations:read'] })
  const membership = { default: 'guest', claim: 'groups', roles: [{ value: 'chiefs', role: 'chief' }] }
  const settings = { issuer: 'https://sso.example', client_id: 'authy2' }
  const given = { connector: 'oidc', name: 'Company login', settings, secrets: { client_secret: plant(`handed ${randomUUID()}`) }, membership }
  const { data } = await place.asOwner('POST /connections', given)
  return { ...place, at: `/connections/${data.id}` }
}

test('a connection hands out a role under its new name', async t => {
  const { asOwner, at } = await make()
  t.is((await asOwner('PATCH /roles/guest', { name: 'visitor' })).status, 200)
  t.deepEqual((await asOwner(`GET ${at}`)).data.membership, { default: 'visitor', claim: 'groups', roles: [{ value: 'chiefs', role: 'chief' }] })
  t.is((await asOwner('PATCH /roles/chief', { name: 'head' })).status, 200)
  t.deepEqual((await asOwner(`GET ${at}`)).data.membership.roles, [{ value: 'chiefs', role: 'head' }])
})

test('a role that a connection hands out is not deleted, and is once none does', async t => {
  const { asOwner, at, id } = await make()
  for (const role of ['guest', 'chief']) t.is((await asOwner(`DELETE /roles/${role}`)).status, 409, role)
  t.is((await asOwner(`PATCH ${at}`, { membership: { default: 'member' } })).status, 200)
  t.is((await asOwner('DELETE /roles/chief')).status, 200)
  const { database } = api.server.resources
  t.false(await database.prisma.$transaction(tx => handedOutRoles.has(tx, { organizationId: id, name: 'guest' })))
})
