// What is handed out, and by whom: nobody gives, makes or edits what may do more than they.
import test from 'ava'
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
