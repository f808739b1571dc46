// The bodies of imports: who may send them, what is refused whole, and what acts once.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { address, addresses, type Importing, importing, lines } from '../support/imports.ts'
import { head, sendRaw } from '../support/raw.ts'

let api: TestApi
let on: Importing
test.before(async () => {
  api = await startApi()
  on = await importing(api)
})
test.after.always(() => api?.close())

test('only who may write users is read at all', async t => {
  const { token } = await api.signIn()
  const { apiKeys } = api.server.services
  const { key } = await apiKeys.create(systemActor, { name: 'Reads', permissions: ['users:read'] })
  const { key: writes } = await apiKeys.create(systemActor, { name: 'Writes', permissions: ['users:write'] })
  const users = [{ email: address() }]
  const tell = async (given?: string) => (await api.ask('POST /users/import', { token: given, body: { users } })).status
  t.deepEqual([await tell(), await tell(token), await tell(key), await tell(writes)], [401, 403, 403, 200])
  const large = head(
    'POST /api/v1/users/import HTTP/1.1',
    `Host: ${new URL(api.server.issuer).host}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/x-ndjson',
    'Content-Length: 50000000',
  )
  t.is((await sendRaw(api.server.issuer, [large])).status, 403)
})

test('what is too large, of another kind or cannot be read is refused whole', async t => {
  const lineOf = (type: string, ...more: string[]) =>
    head(
      'POST /api/v1/users/import HTTP/1.1',
      `Host: ${new URL(api.server.issuer).host}`,
      `Authorization: Bearer ${on.admin}`,
      `Content-Type: ${type}`,
      ...more,
    )
  for (const [type, bytes] of [
    ['application/json', 1024 ** 2 + 1],
    ['application/x-ndjson', 16 * 1024 ** 2 + 1],
  ] as const)
    t.is((await sendRaw(api.server.issuer, [lineOf(type, `Content-Length: ${bytes}`)])).status, 413)
  const pieces = Array.from({ length: 12 }, () => `186a0\r\n${'x'.repeat(100_000)}\r\n`)
  t.is((await sendRaw(api.server.issuer, [lineOf('application/json', 'Transfer-Encoding: chunked'), ...pieces, '0\r\n\r\n'])).status, 413)
  for (const type of ['text/plain', 'text/csv', 'application/x-ndjson; charset=utf-16'])
    t.is((await on.sendLines('{}', { headers: { 'content-type': type } })).status, 415, type)
  t.is((await on.sendLines('{}', { headers: { 'content-encoding': 'gzip' } })).status, 415)
  const [good = ''] = addresses(1)
  for (const [body, path] of [
    [`{"email":"${good}"}\n{"email":\n`, 'users.1'],
    [`{"email":"${good}"}\n\n{}\n`, 'users.1'],
    [Buffer.concat([Buffer.from(`{"email":"${good}"}\n"`), Buffer.from([0xff]), Buffer.from('"\n')]), 'users.1'],
    [`{"email":"${good}"}\n"${'x'.repeat(20_000)}"`, 'users.1'],
    ['', 'users'],
    ['1\n'.repeat(10_001), 'users'],
  ] as const) {
    const { status, envelope } = await on.sendLines(body)
    t.deepEqual([status, envelope.error.details.fields[0].path], [400, path])
  }
  for (const body of [
    {},
    { users: [] },
    { users: {} },
    { users: Array(10_001).fill({}) },
    { users: [{ email: good }], more: 1 },
    { users: [{ email: good }], mode: 'some' },
  ])
    t.is((await on.send(body)).status, 400)
  t.is((await on.send({ users: [{ email: good }] }, { query: '?mode=some' })).status, 400)
  t.is((await on.send({ users: [{ email: good }] }, { query: '?dry_run=maybe' })).status, 400)
  const { status, error } = await on.send({ users: [{ email: good }, { email: address(), full_name: 'x'.repeat(17_000) }] })
  t.deepEqual([status, error?.details.fields?.[0]?.path], [400, 'users.1'])
  for (const query of ['?mode=all', '?mode=all&dry_run=true']) {
    const { status, envelope } = await on.sendLines(lines(addresses(2001).map(email => ({ email }))), { query })
    t.deepEqual([status, envelope.error.details.fields.map((field: { path: string }) => field.path)], [400, ['users']])
  }
  t.is(await on.countUsers([good]), 0)
})

test('with an Idempotency-Key an import acts once and is answered again', async t => {
  const users = addresses(300).map(email => ({ email }))
  const headers = { 'idempotency-key': randomUUID() }
  const [first, second] = [await on.send({ users }, { headers }), await on.send({ users }, { headers })]
  t.is(first.data.created, 300)
  t.deepEqual(second.data, first.data)
  t.is(second.headers['idempotency-replayed'], 'true')
  t.is((await on.send({ users: users.slice(1) }, { headers })).status, 409)
  const both = { 'idempotency-key': randomUUID() }
  const more = addresses(300).map(email => ({ email }))
  const replies = await Promise.all([on.sendLines(lines(more), { headers: both }), on.sendLines(lines(more), { headers: both })])
  t.deepEqual(
    replies.map(({ envelope }) => envelope.data.created),
    [300, 300],
  )
})
