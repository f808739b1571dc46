// API keys: told once, bounded by who made them, dead when revoked or expired.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [person.id])
  admin = person.token
})
test.after.always(() => api?.close())

const make = (body: object, token = admin) => api.ask('POST /api-keys', { token, body: { name: 'A key', ...body } })

test('a key is told once and does what it may', async t => {
  const made = await make({ permissions: ['api_keys:read'] })
  t.is(made.status, 201)
  t.regex(made.data.key, /^authy2_[\w-]{43}$/)
  t.is(made.data.api_key.hint, made.data.key.slice(0, 11))
  const listed = await api.ask('GET /api-keys', { token: made.data.key })
  t.is(listed.status, 200)
  t.false(JSON.stringify(listed.data).includes(made.data.key))
  t.is((await make({ permissions: ['api_keys:read'] }, made.data.key)).status, 403)
})

test('a revoked key and an expired one are no credentials', async t => {
  const [revoked, expired] = [
    await make({ permissions: ['api_keys:read'] }),
    await make({ permissions: ['api_keys:read'], expires_at: '2999-01-01T00:00:00Z' }),
  ]
  t.is((await api.ask(`DELETE /api-keys/${revoked.data.api_key.id}`, { token: admin })).status, 200)
  await api.server.resources.database.pool.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [expired.data.api_key.id])
  for (const { data } of [revoked, expired]) t.is((await api.ask('GET /api-keys', { token: data.key })).status, 401)
  t.is((await api.ask(`DELETE /api-keys/${revoked.data.api_key.id}`, { token: admin })).status, 404)
})

test('nobody gives a key more than they have', async t => {
  const { data } = await make({ permissions: ['api_keys:read', 'api_keys:write'] })
  t.is((await make({ permissions: ['users:write'] }, data.key)).status, 403)
  t.is((await make({ permissions: ['api_keys:read'] }, data.key)).status, 201)
})

test('an organization’s key is made by its managers, acts there alone, and dies with it', async t => {
  const [owner, member, stranger] = [await api.signIn(), await api.signIn(), await api.signIn()]
  const { organizations, members } = api.server.services
  const { id } = await organizations.create(systemActor, { slug: 'keys-1', name: 'Keys', ownerId: owner.id })
  const other = await organizations.create(systemActor, { slug: 'keys-2', name: 'Others', ownerId: stranger.id })
  await members.add(systemActor, { organizationId: id, userId: member.id, role: 'member' }).catch(() => t.log('members.add by the system is refused'))
  const wanted = { organization_id: id, permissions: ['api_keys:read', 'members:read'] }
  t.is((await make(wanted, stranger.token)).status, 404)
  const { status, data } = await make(wanted, owner.token)
  t.is(status, 201)
  t.is((await make({ ...wanted, permissions: ['users:read'] }, owner.token)).status, 403)
  t.is((await make({ permissions: ['members:read'] }, owner.token)).status, 403)
  t.is((await api.ask(`GET /api-keys?organization_id=${id}`, { token: data.key })).status, 200)
  t.is((await api.ask(`GET /api-keys?organization_id=${other.id}`, { token: data.key })).status, 404)
  t.is((await api.ask('GET /api-keys', { token: data.key })).status, 403)
  t.is((await api.ask(`DELETE /api-keys/${data.api_key.id}`, { token: stranger.token })).status, 404)
  await api.server.resources.database.pool.query('UPDATE organizations SET deleted_at = now() WHERE id = $1', [id])
  t.is((await api.ask(`GET /api-keys?organization_id=${id}`, { token: data.key })).status, 401)
})

test('what a key cannot be is refused', async t => {
  for (const body of [
    { permissions: [] },
    { permissions: ['everything'] },
    { permissions: ['api_keys:read'], expires_at: '2001-01-01T00:00:00Z' },
    { permissions: ['api_keys:read'], hash: 'x' },
    { permissions: ['api_keys:read'], organization_id: 'x' },
  ])
    t.is((await make(body)).status, 400, JSON.stringify(body))
})
