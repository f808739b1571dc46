// Members: who may do what to whom, and the last owner, who stays.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

type Person = Awaited<ReturnType<TestApi['signIn']>>

const make = async () => {
  const [owner, admin, member, stranger] = [await api.signIn(), await api.signIn(), await api.signIn(), await api.signIn()]
  const made = await api.ask('POST /organizations', { token: owner.token, body: { name: `Org of ${owner.id}` } })
  const base = `/organizations/${made.data.id}`
  for (const [person, role] of [
    [admin, 'admin'],
    [member, 'member'],
  ] as const)
    await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: person.id, role } })
  const setRole = (by: Person, whom: Person, role: string) => api.ask(`PATCH ${base}/members/${whom.id}/role`, { token: by.token, body: { role } })
  const remove = (by: Person, whom: Person) => api.ask(`DELETE ${base}/members/${whom.id}`, { token: by.token })
  return { owner, admin, member, stranger, base, id: made.data.id, setRole, remove }
}

test('who makes an organization is its owner, and adds people by id and by address', async t => {
  const { owner, stranger, base } = await make()
  const added = await api.ask(`POST ${base}/members`, { token: owner.token, body: { email: stranger.email.toUpperCase(), role: 'member' } })
  t.is(added.status, 201)
  t.like(added.data, { user_id: stranger.id, role: 'member' })
  t.is((await api.ask(`POST ${base}/members`, { token: owner.token, body: { user_id: stranger.id, role: 'member' } })).status, 409)
  t.is((await api.ask(`POST ${base}/members`, { token: owner.token, body: { email: 'nobody@people.example', role: 'member' } })).status, 404)
  const { data, meta } = await api.ask(`GET ${base}/members?limit=3`, { token: owner.token })
  t.deepEqual([data.length, meta?.total], [3, 4])
  t.is((await api.ask(`GET ${base}/members?limit=3&after=${meta?.next_cursor}`, { token: owner.token })).data.length, 1)
  t.is((await api.ask(`GET ${base}/members?role=owner`, { token: owner.token })).data[0].user.id, owner.id)
})

test('a stranger is told that there is no such organization, a plain member that they may not', async t => {
  const { owner, member, stranger, base, setRole, remove } = await make()
  t.is((await api.ask(`GET ${base}/members`, { token: stranger.token })).status, 404)
  t.is((await setRole(stranger, member, 'admin')).status, 404)
  t.is((await setRole(member, member, 'admin')).status, 403)
  t.is((await remove(member, owner)).status, 403)
  t.is((await api.ask(`PATCH ${base}`, { token: member.token, body: { name: 'Mine' } })).status, 403)
  t.is((await api.ask(`GET ${base}`, { token: member.token })).status, 200)
})

test('an admin neither makes nor touches owners', async t => {
  const { owner, admin, member, stranger, base, setRole, remove } = await make()
  t.is((await setRole(admin, member, 'owner')).status, 403)
  t.is((await setRole(admin, admin, 'owner')).status, 403)
  t.is((await setRole(admin, owner, 'member')).status, 403)
  t.is((await remove(admin, owner)).status, 403)
  t.is((await api.ask(`POST ${base}/members`, { token: admin.token, body: { user_id: stranger.id, role: 'owner' } })).status, 403)
  t.is((await setRole(admin, member, 'admin')).status, 200)
  t.is((await api.ask(`DELETE ${base}`, { token: admin.token })).status, 403)
})

test('the last owner does not leave, is not removed, demoted or deleted', async t => {
  const { owner, admin, base, setRole, remove } = await make()
  t.is((await remove(owner, owner)).status, 409)
  t.is((await setRole(owner, owner, 'admin')).status, 409)
  await t.throwsAsync(api.server.services.userAdministration.remove(systemActor, owner.id as never), { instanceOf: Problem, code: 'last_owner' as never })
  t.is((await setRole(owner, admin, 'owner')).status, 200)
  t.is((await remove(owner, owner)).status, 200)
  t.is((await api.ask(`GET ${base}`, { token: owner.token })).status, 404)
})

test('a member leaves by themselves', async t => {
  const { member, remove } = await make()
  t.is((await remove(member, member)).status, 200)
  t.is((await remove(member, member)).status, 404)
})

test('twenty demotions of the last two owners at once leave one', async t => {
  const { owner, admin, setRole, id } = await make()
  await setRole(owner, admin, 'owner')
  const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? setRole(owner, admin, 'member') : setRole(admin, owner, 'member'))))
  t.true(replies.every(({ status }) => [200, 403, 409].includes(status)))
  t.is(await api.server.resources.database.prisma.organizationMember.count({ where: { organizationId: id, role: 'owner' } }), 1)
})

test('twenty departures and demotions of the last two owners by the server at once leave one', async t => {
  const { owner, admin, setRole, id } = await make()
  await setRole(owner, admin, 'owner')
  const { members } = api.server.services
  const told = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => {
      const userId = index % 2 ? owner.id : admin.id
      return index % 4 < 2
        ? members.setRole(systemActor, { organizationId: id, userId, role: 'member' })
        : members.remove(systemActor, { organizationId: id, userId })
    }),
  )
  t.true(told.some(one => one.status === 'rejected' && one.reason.code === 'last_owner'))
  t.is(await api.server.resources.database.prisma.organizationMember.count({ where: { organizationId: id, role: 'owner' } }), 1)
})

test('a suspended owner is not the owner whom an organization keeps', async t => {
  const { owner, admin, base, setRole, remove } = await make()
  t.is((await setRole(owner, admin, 'owner')).status, 200)
  await api.server.services.userAdministration.suspend(systemActor, admin.id as never)
  t.is((await setRole(owner, owner, 'member')).status, 409)
  t.is((await remove(owner, owner)).status, 409)
  t.is((await api.ask(`GET ${base}`, { token: owner.token })).status, 200)
})

test('a member who is given the role they have leaves no event', async t => {
  const { owner, member, id, setRole } = await make()
  const { status, data } = await setRole(owner, member, 'member')
  t.deepEqual([status, data.role], [200, 'member'])
  const where = { organizationId: id, action: 'organization.member_role_changed' }
  t.is(await api.server.resources.database.prisma.auditEvent.count({ where }), 0)
})
