// What is handed out, and by whom: nobody gives, makes or edits what may do more than they, nor scopes of resource servers that they lack.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { makeOrganization } from '../support/organization.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const make = () => makeOrganization(api)
const reading = ['organizations:read', 'members:read', 'roles:read']

test('nobody hands out, makes or edits a role that may do more than they may', async t => {
  const { asOwner, asAdmin, asMember, admin, member } = await make()
  const { data: high } = await asOwner('POST /roles', { name: 'deleter', permissions: ['organizations:delete'] })
  t.is((await asAdmin('POST /roles', { name: 'mine', permissions: ['organizations:delete'] })).status, 403)
  t.is((await asAdmin(`PATCH /members/${member.id}/role`, { role: 'deleter' })).status, 403)
  t.is((await asAdmin(`PATCH /roles/${high.id}`, { permissions: [] })).status, 403)
  t.is((await asAdmin(`DELETE /roles/${high.id}`)).status, 403)
  const { data: low } = await asAdmin('POST /roles', { name: 'low', permissions: ['members:write', 'roles:write', ...reading] })
  t.is((await asAdmin(`PATCH /roles/${low.id}`, { permissions: ['organizations:delete'] })).status, 403)
  t.is((await asOwner(`PATCH /members/${member.id}/role`, { role: 'low' })).status, 200)
  t.is((await asMember(`PATCH /roles/${low.id}`, { permissions: ['clients:write', ...reading] })).status, 403, 'their own role')
  t.is((await asMember(`PATCH /members/${member.id}/role`, { role: 'admin' })).status, 403, 'their own membership')
  t.is((await asMember(`PATCH /members/${admin.id}/role`, { role: 'member' })).status, 403, 'somebody above them')
  t.is((await asMember(`DELETE /members/${admin.id}`)).status, 403)
  const stranger = await api.signIn()
  t.is((await asMember('POST /members', { user_id: stranger.id, role: 'low' })).status, 201)
  t.is((await asMember(`PATCH /members/${stranger.id}/role`, { role: 'member' })).status, 200)
})

test('a role of everything an owner may do makes no owners', async t => {
  const { asOwner, asMember, member } = await make()
  const { data: owner } = await asOwner('GET /roles/owner')
  t.is((await asOwner('POST /roles', { name: 'deputy', permissions: owner.permissions })).status, 201)
  t.is((await asOwner(`PATCH /members/${member.id}/role`, { role: 'deputy' })).status, 200)
  t.is((await asMember(`PATCH /members/${member.id}/role`, { role: 'owner' })).status, 403)
  t.is((await asMember(`PATCH /members/${member.id}/role`, { role: 'admin' })).status, 200)
})

test('the last owner does not become something of the organization’s own', async t => {
  const { asOwner, owner } = await make()
  await asOwner('POST /roles', { name: 'retired', permissions: [] })
  t.is((await asOwner(`PATCH /members/${owner.id}/role`, { role: 'retired' })).status, 409)
})

type Organization = Awaited<ReturnType<typeof makeOrganization>>

const makeResource = async (organizationId?: string) => {
  const identifier = `https://${randomUUID()}.example/`
  const given = { name: 'An API', scopes: ['read', 'write'], tokenFormat: 'jwt', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 300 } as const
  await api.server.services.resourceServers.create(systemActor, { ...given, identifier, organizationId })
  return identifier
}
const role = (resource: string, ...scopes: string[]) => ({ name: `r-${randomUUID()}`, permissions: [], resource_scopes: [{ resource, scopes }] })

/** A member with a role of these permissions and scopes. */
const makeMember = async (organization: Organization, { permissions, resourceScopes = [] }: { permissions: string[]; resourceScopes?: string[] }) => {
  const person = await api.signIn()
  const name = `r-${randomUUID()}`
  const { roles, members } = api.server.services
  await roles.create(systemActor, { organizationId: organization.id, name, permissions, resourceScopes })
  await members.add(systemActor, { organizationId: organization.id, userId: person.id, role: name })
  return organization.as(person)
}

test('a role tells its scopes by resource server, and a change is in the audit log', async t => {
  const organization = await makeOrganization(api)
  const [ours, ofSystem] = [await makeResource(organization.id), await makeResource()]
  const made = await organization.asAdmin('POST /roles', role(ours, 'read', 'write', 'read'))
  t.is(made.status, 201)
  t.deepEqual(made.data.resource_scopes, [{ resource: ours, scopes: ['read', 'write'] }])
  const changed = await organization.asAdmin(`PATCH /roles/${made.data.id}`, { resource_scopes: [{ resource: ofSystem, scopes: ['read'] }] })
  t.deepEqual(changed.data.resource_scopes, [{ resource: ofSystem, scopes: ['read'] }])
  const kept = await organization.asAdmin(`PATCH /roles/${made.data.id}`, { description: 'The same scopes' })
  t.deepEqual(kept.data.resource_scopes, [{ resource: ofSystem, scopes: ['read'] }])
  const events = await api.server.resources.database.prisma.auditEvent.findMany({
    where: { targetId: made.data.id, action: 'role.updated' },
    orderBy: { id: 'asc' },
  })
  t.like(events[0]?.target, { resource_scopes: [`${ofSystem} read`], previous_resource_scopes: [`${ours} read`, `${ours} write`] })
})

test('a scope that is not there, and a resource server of another organization, are refused alike', async t => {
  const [organization, other] = [await makeOrganization(api), await makeOrganization(api)]
  const [ours, theirs] = [await makeResource(organization.id), await makeResource(other.id)]
  for (const body of [role(ours, 'delete'), role(theirs, 'read'), role('https://unknown.example/', 'read')]) {
    const refused = await organization.asOwner('POST /roles', body)
    t.is(refused.status, 400)
    t.is(refused.error?.details.fields?.[0]?.path, 'resource_scopes')
  }
})

test('nobody gives scopes that they lack, neither by a role nor by a membership, unless they may write resource servers', async t => {
  const organization = await makeOrganization(api)
  const ours = await makeResource(organization.id)
  const permissions = ['roles:read', 'roles:write', 'members:read', 'members:write']
  const holder = await makeMember(organization, { permissions, resourceScopes: [`${ours} read`] })
  const writer = await makeMember(organization, { permissions: [...permissions, 'resource_servers:write'] })
  t.is((await holder('POST /roles', role(ours, 'read'))).status, 201)
  t.is((await holder('POST /roles', role(ours, 'write'))).status, 403)
  const stronger = (await writer('POST /roles', role(ours, 'write'))).data
  t.truthy(stronger.id)
  t.is((await holder(`PATCH /roles/${stronger.id}`, { description: 'Mine' })).status, 403)
  const newcomer = await api.signIn()
  t.is((await holder('POST /members', { email: newcomer.email, role: stronger.name })).status, 403)
  t.is((await writer('POST /members', { email: newcomer.email, role: stronger.name })).status, 201)
  t.is((await holder(`PATCH /members/${newcomer.id}/role`, { role: 'member' })).status, 403)
})
