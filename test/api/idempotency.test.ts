// A write with an Idempotency-Key acts once, however often and however parallel it is sent.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let admin: { id: string; token: string }
test.before(async () => {
  api = await startApi()
  admin = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [admin.id])
})
test.after.always(() => api?.close())

const make = (key: string, body: object = { name: 'Once', permissions: ['users:read'] }, token = admin.token) =>
  api.ask('POST /api-keys', { token, body, headers: { 'idempotency-key': key } })
const count = async () => (await api.ask('GET /api-keys', { token: admin.token })).meta?.total ?? 0

test.serial('ten that are sent at once act once and are answered alike', async t => {
  const before = await count()
  const key = randomUUID()
  const replies = await Promise.all(Array.from({ length: 10 }, () => make(key)))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [201])
  t.is(new Set(replies.map(({ data }) => data.key)).size, 1)
  t.is(replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true').length, 9)
  t.is(await count(), before + 1)
})

test.serial('the key for another request is a conflict', async t => {
  const key = randomUUID()
  t.is((await make(key)).status, 201)
  const reply = await make(key, { name: 'Twice', permissions: ['users:read'] })
  t.deepEqual([reply.status, reply.error?.type], [409, 'CONFLICT'])
})

test.serial('another caller’s key is another key', async t => {
  const key = randomUUID()
  const other = await make(randomUUID(), { name: 'Caller', permissions: ['api_keys:read', 'api_keys:write', 'users:read'] })
  t.is((await make(key)).status, 201)
  const body = { name: 'Mine', permissions: ['api_keys:read'] }
  t.is((await make(key, body, other.data.key)).status, 201)
})

test.serial('a refused request is not kept', async t => {
  const key = randomUUID()
  t.is((await make(key, { name: 'x', permissions: ['users:read'], expires_at: '2001-01-01T00:00:00Z' })).status, 400)
  t.is((await make(key)).status, 201)
})

test.serial('a key that is none is refused', async t => {
  for (const key of ['x'.repeat(256), 'a b']) t.is((await make(key)).status, 400)
})

test.serial('no answer is kept in the clear', async t => {
  const { data } = await make(randomUUID())
  const { rows } = await api.server.resources.database.pool.query('SELECT answer FROM idempotency_keys')
  t.true(rows.length > 0)
  t.false(rows.some(({ answer }) => answer?.includes(data.key.slice(7)) || Buffer.from(answer ?? '', 'base64').includes(data.key)))
})
