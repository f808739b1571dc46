// Scopes of resource servers in the roles of organizations: given by who may, told, and never of another organization's.
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
