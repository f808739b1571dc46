// Organizations and their own roles: made, named, changed, deleted with what they have, restored, forgotten.
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import * as client from 'openid-client'
import { clientBelongings } from '../../src/clients/belongings.ts'
import { createOrganizations } from '../../src/organizations/organizations.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { TransactionClient } from '../../src/platform/data/database.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { makeClient, refusal } from '../support/clients.ts'
import { makeOrganization } from '../support/organization.ts'

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

test('a slug and the name of a role are at most 63 characters, hyphens counted, and what is made can be asked for', async t => {
  const { token } = await api.signIn()
  const longest = `${'a-'.repeat(31)}a`
  for (const tooLong of [`${longest}a`, `${'a-'.repeat(62)}a`])
    t.is((await api.ask('POST /organizations', { token, body: { name: 'Long', slug: tooLong } })).status, 400, tooLong)
  const { data: organization } = await api.ask('POST /organizations', { token, body: { name: 'Long', slug: longest } })
  t.is((await api.ask(`GET /organizations?slug=${longest}`, { token: admin })).data[0]?.id, organization.id)
  const roles = `/organizations/${organization.id}/roles`
  for (const tooLong of [`${longest}a`, `${'a-'.repeat(62)}a`])
    t.is((await api.ask(`POST ${roles}`, { token, body: { name: tooLong, permissions: [] } })).status, 400, tooLong)
  t.is((await api.ask(`POST ${roles}`, { token, body: { name: longest, permissions: [] } })).status, 201)
  t.is((await api.ask(`GET ${roles}/${longest}`, { token })).data.name, longest)
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

test('an organization that is restored is answered as it is read afterwards, by its version too', async t => {
  const { token } = await api.signIn()
  const { data } = await api.ask('POST /organizations', { token, body: { name: 'There and back' } })
  await api.ask(`DELETE /organizations/${data.id}`, { token })
  const restored = await api.ask(`POST /organizations/${data.id}/restore`, { token: admin })
  const read = await api.ask(`GET /organizations/${data.id}`, { token })
  t.deepEqual(restored.data, read.data)
  t.is(restored.headers.etag, read.headers.etag)
  const match = { 'if-match': String(restored.headers.etag) }
  t.is((await api.ask(`PATCH /organizations/${data.id}`, { token, body: { description: 'Again' }, headers: match })).status, 200)
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

test.serial('organizations that cannot be forgotten keep no younger one from it, however many they are, and are told by id', async t => {
  const { services, resources } = api.server
  const { now, randomBytes, database } = resources
  const ids: string[] = []
  for (const days of [40, 39, 38, 37]) {
    const { id } = await services.organizations.create(systemActor, { name: `Deleted ${days} days ago` })
    await services.organizations.remove(systemActor, id)
    await database.prisma.organization.update({ where: { id }, data: { deletedAt: new Date(Date.now() - days * 86_400_000) } })
    ids.push(id)
  }
  const stuck = ids.slice(0, 2)
  const release = async (tx: TransactionClient, id: string) => {
    if (stuck.includes(id)) await tx.$queryRaw`SELECT 1 / 0`
  }
  const belongings = { ...clientBelongings, release }
  const organizations = createOrganizations({ database, change: services.change, now, randomBytes, belongings, forgetSettings: () => {} })
  const error = await t.throwsAsync(organizations.purge(systemActor, 1), { instanceOf: AggregateError })
  t.deepEqual(
    error.errors.map(({ id }) => id),
    stuck,
  )
  const left = await database.prisma.organization.findMany({ where: { id: { in: ids } }, orderBy: { deletedAt: 'asc' } })
  t.deepEqual(
    left.map(({ id }) => id),
    stuck,
  )
  await services.organizations.purge(systemActor, 1)
  t.is(await database.prisma.organization.count({ where: { id: { in: ids } } }), 0)
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

const make = () => makeOrganization(api)

test('a role is made, listed beside the built-in ones, read by id and by name, changed and deleted', async t => {
  const { asOwner, asMember } = await make()
  const made = await asOwner('POST /roles', { name: 'Editor', description: 'Edits', permissions: ['clients:read', 'clients:read'] })
  t.is(made.status, 201)
  t.like(made.data, { name: 'editor', description: 'Edits', permissions: ['clients:read'], built_in: false })
  const { data, meta } = await asMember('GET /roles')
  t.deepEqual(
    data.map(({ name, built_in }: { name: string; built_in: boolean }) => [name, built_in]),
    [
      ['owner', true],
      ['admin', true],
      ['member', true],
      ['editor', false],
    ],
  )
  t.is(meta?.total, 4)
  for (const key of [made.data.id, 'editor', 'EDITOR']) t.is((await asMember(`GET /roles/${key}`)).data.id, made.data.id)
  t.like((await asMember('GET /roles/admin')).data, { id: null, built_in: true })
  const changed = await asOwner(`PATCH /roles/${made.data.id}`, { name: 'writer', description: null })
  t.like(changed.data, { name: 'writer', description: null, permissions: ['clients:read'] })
  t.is((await asOwner(`DELETE /roles/${made.data.id}`)).status, 200)
  t.is((await asOwner(`DELETE /roles/${made.data.id}`)).status, 404)
  const events = await api.server.resources.database.prisma.auditEvent.findMany({ where: { targetId: made.data.id }, orderBy: { id: 'asc' } })
  t.deepEqual(
    events.map(({ action }) => action),
    ['role.created', 'role.updated', 'role.deleted'],
  )
})

test('a name is taken once in an organization, in any letters, and never that of a built-in role', async t => {
  const [one, other] = [await make(), await make()]
  t.is((await one.asOwner('POST /roles', { name: 'auditor', permissions: [] })).status, 201)
  for (const name of ['auditor', 'AUDITOR', 'owner', 'Admin', 'member']) t.is((await one.asOwner('POST /roles', { name, permissions: [] })).status, 409, name)
  for (const name of ['', 'a b', 'a--b', '-a', 'ä', 'a'.repeat(64)]) t.is((await one.asOwner('POST /roles', { name, permissions: [] })).status, 400, name)
  t.is((await other.asOwner('POST /roles', { name: 'auditor', permissions: [] })).status, 201)
  const { data } = await one.asOwner('POST /roles', { name: 'second', permissions: [] })
  t.is((await one.asOwner(`PATCH /roles/${data.id}`, { name: 'Auditor' })).status, 409)
  const race = await Promise.all(Array.from({ length: 20 }, () => one.asOwner('POST /roles', { name: 'raced', permissions: [] })))
  t.deepEqual(race.map(({ status }) => status).sort(), [201, ...Array.from({ length: 19 }, () => 409)])
})

test('what a role of an organization cannot have is refused', async t => {
  const { asOwner } = await make()
  for (const permission of ['users:write', 'users:read', 'organizations:list', 'signing_keys:rotate', 'admins:write', 'nothing', ''])
    t.is((await asOwner('POST /roles', { name: 'too-much', permissions: [permission] })).status, 400, permission)
})

test('members carry a role by name, everywhere they are told of; renaming it carries them', async t => {
  const { asOwner, member, id } = await make()
  const { data: role } = await asOwner('POST /roles', { name: 'support', permissions: ['audit:read', 'organizations:read'] })
  t.is((await asOwner(`PATCH /members/${member.id}/role`, { role: 'Support' })).data.role, 'support')
  t.is((await asOwner(`PATCH /roles/${role.id}`, { name: 'help-desk' })).status, 200)
  t.is((await asOwner('GET /members?role=help-desk')).data[0].user_id, member.id)
  t.is((await asOwner('GET /members?role=support')).meta?.total, 0)
  const mine = await api.ask('GET /users/me/organizations', { token: member.token })
  t.like(mine.data[0], { role: 'help-desk', organization: { id } })
  const stranger = await api.signIn()
  t.like((await asOwner('POST /members', { user_id: stranger.id, role: 'help-desk' })).data, { role: 'help-desk' })
  t.is((await asOwner(`PATCH /members/${member.id}/role`, { role: 'nobody-made-this' })).status, 400)
  t.is((await asOwner(`PATCH /members/${member.id}/role`, { role: 'member' })).data.role, 'member')
})

test('what a role may do holds at the next request of whoever has it, and so does another role', async t => {
  const { asOwner, asMember, member } = await make()
  const { data: role } = await asOwner('POST /roles', { name: 'varying', permissions: ['audit:read'] })
  await asOwner(`PATCH /members/${member.id}/role`, { role: 'varying' })
  t.deepEqual([(await asMember('GET /audit-logs')).status, (await asMember('GET /members')).status], [200, 403])
  await asOwner(`PATCH /roles/${role.id}`, { permissions: ['members:read'] })
  t.deepEqual([(await asMember('GET /audit-logs')).status, (await asMember('GET /members')).status], [403, 200])
  await asOwner(`PATCH /members/${member.id}/role`, { role: 'admin' })
  t.is((await asMember('GET /audit-logs')).status, 200)
})

test('the built-in roles are not changed', async t => {
  const { asOwner } = await make()
  for (const role of ['owner', 'admin', 'member']) {
    t.is((await asOwner(`PATCH /roles/${role}`, { permissions: [] })).status, 409)
    t.is((await asOwner(`DELETE /roles/${role}`)).status, 409)
  }
})

test('a role of another organization is not there', async t => {
  const [one, other] = [await make(), await make()]
  const { data } = await other.asOwner('POST /roles', { name: 'theirs', permissions: [] })
  for (const [operation, body] of [
    [`GET /roles/${data.id}`],
    ['GET /roles/theirs'],
    [`PATCH /roles/${data.id}`, { name: 'ours' }],
    [`DELETE /roles/${data.id}`],
  ] as const)
    t.is((await one.asOwner(operation, body)).status, 404, operation)
  t.is((await one.asOwner(`PATCH /members/${one.member.id}/role`, { role: 'theirs' })).status, 400)
  t.is((await one.asOwner(`PATCH /members/${one.member.id}/role`, { role: data.id })).status, 400)
  // The database itself refuses what no statement of ours asks for.
  const { prisma } = api.server.resources.database
  await t.throwsAsync(prisma.organizationMember.updateMany({ where: { userId: one.member.id }, data: { role: null, roleId: data.id } }))
})

test('an update of what was changed meanwhile is refused, and an empty one changes nothing', async t => {
  const { asOwner } = await make()
  const { data: role } = await asOwner('POST /roles', { name: 'versioned', permissions: [] })
  const { headers } = await asOwner(`GET /roles/${role.id}`)
  const match = { 'if-match': String(headers.etag) }
  t.is((await asOwner(`PATCH /roles/${role.id}`, {}, match)).headers.etag, headers.etag)
  t.is((await asOwner(`PATCH /roles/${role.id}`, { description: 'First' }, match)).status, 200)
  t.is((await asOwner(`PATCH /roles/${role.id}`, { description: 'Second' }, match)).status, 412)
  t.is((await asOwner(`PATCH /roles/${role.id}`, {}, match)).status, 412)
})

test('a role that somebody has is not deleted, also while twenty assign and delete it at once', async t => {
  const { asOwner, member, id } = await make()
  const { prisma } = api.server.resources.database
  for (let round = 0; round < 3; round += 1) {
    const { data: role } = await asOwner('POST /roles', { name: `raced-${round}`, permissions: [] })
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        if (index % 2 === 0) return asOwner(`PATCH /members/${member.id}/role`, { role: index % 4 === 0 ? role.name : 'member' })
        return asOwner(`DELETE /roles/${role.id}`)
      }),
    )
    t.true(
      replies.every(({ status }) => [200, 400, 404, 409].includes(status)),
      JSON.stringify(replies.map(({ status }) => status)),
    )
    const kept = await prisma.organizationRole.count({ where: { id: role.id } })
    const had = await prisma.organizationMember.count({ where: { organizationId: id, roleId: role.id } })
    t.true(had === 0 || kept === 1)
    await asOwner(`PATCH /members/${member.id}/role`, { role: 'member' })
  }
  const { data: role } = await asOwner('POST /roles', { name: 'held', permissions: [] })
  await asOwner(`PATCH /members/${member.id}/role`, { role: 'held' })
  const refused = await asOwner(`DELETE /roles/${role.id}`)
  t.deepEqual([refused.status, refused.error?.type], [409, 'CONFLICT'])
  await t.throwsAsync(prisma.organizationRole.delete({ where: { id: role.id } }), undefined, 'the foreign key holds it')
})

test('roles follow their organization: away, back and for good', async t => {
  const { asOwner, asMember, member, id } = await make()
  await asOwner('POST /roles', { name: 'following', permissions: ['audit:read'] })
  await asOwner(`PATCH /members/${member.id}/role`, { role: 'following' })
  const { organizations } = api.server.services
  await organizations.remove(systemActor, id)
  t.is((await asMember('GET /audit-logs')).status, 404)
  await organizations.restore(systemActor, id)
  t.is((await asMember('GET /audit-logs')).status, 200)
  await organizations.remove(systemActor, id)
  const { prisma } = api.server.resources.database
  await prisma.organization.update({ where: { id }, data: { deletedAt: new Date(Date.now() - 31 * 86_400_000) } })
  await organizations.purge(systemActor, 100)
  t.is((await prisma.organizationRole.count({ where: { organizationId: id } })) + (await prisma.organizationMember.count({ where: { organizationId: id } })), 0)
})

test('the list of roles is paged without gap or repetition, and there are at most a hundred', async t => {
  const { asOwner, id } = await make()
  const { prisma } = api.server.resources.database
  const names = Array.from({ length: 99 }, (_, index) => `many-${index}`)
  await prisma.organizationRole.createMany({ data: names.map(name => ({ organizationId: id, name, permissions: [] })) })
  const seen: string[] = []
  let after = ''
  do {
    const { data, meta } = await asOwner(`GET /roles?limit=25${after}`)
    seen.push(...data.map(({ name }: { name: string }) => name))
    after = meta?.next_cursor ? `&after=${meta.next_cursor}` : ''
  } while (after)
  t.deepEqual(seen, ['owner', 'admin', 'member', ...names.toSorted()])
  const race = await Promise.all(Array.from({ length: 5 }, (_, index) => asOwner('POST /roles', { name: `more-${index}`, permissions: [] })))
  t.deepEqual(race.map(({ status }) => status).sort(), [201, 409, 409, 409, 409])
})
