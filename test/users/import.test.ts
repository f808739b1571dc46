// Moving users in: a result a row, nothing half-written, each address once, and the first sign-in replaces the old hash.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { head, sendRaw } from '../support/raw.ts'

let api: TestApi
let admin: string
test.before(async () => {
  api = await startApi()
  const { id, token } = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [id])
  admin = token
})
test.after.always(() => api?.close())

interface Row {
  readonly row: number
  readonly status: string
  readonly id: string | null
  readonly email: string | null
  readonly error: { readonly type: string; readonly fields: readonly { path: string; message: string }[] } | null
}

const phrase = 'correct horse battery staple'
const foreign = '$2b$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W'
const address = (name = randomUUID()) => `${name}@moving.example`
const addresses = (count: number) => {
  const batch = randomUUID()
  return Array.from({ length: count }, (_, index) => address(`${batch}-${String(index).padStart(5, '0')}`))
}
const send = (body: unknown, { query = '', headers = {}, token = admin }: { query?: string; headers?: Record<string, string>; token?: string } = {}) =>
  api.ask(`POST /users/import${query}`, { token, body, headers })
const sendLines = async (lines: string | Buffer, { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {}) => {
  const reply = await api.calls.call(`/api/v1/users/import${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/x-ndjson', ...headers },
    body: lines,
  })
  return { ...reply, envelope: JSON.parse(reply.body) }
}
const lines = (rows: readonly unknown[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('')
const statuses = (results: readonly Row[]) => results.map(({ status }) => status)
const types = (results: readonly Row[]) => results.map(({ error }) => error?.type ?? 'none')
const paths = (results: readonly Row[]) => results.map(({ error }) => error?.fields.map(({ path }) => path).join() ?? '')
const countUsers = (emails: readonly string[]) =>
  api.server.resources.database.prisma.user.count({ where: { emailNormalized: { in: [...emails] }, deletedAt: null } })
const countEvents = (ids: readonly (string | null)[]) =>
  api.server.resources.database.prisma.auditEvent.count({ where: { action: 'user.created', targetId: { in: ids.flatMap(id => id ?? []) } } })
const secretOf = async (email: string) => {
  const [method] = await api.server.resources.database.prisma.authenticationMethod.findMany({ where: { user: { emailNormalized: email }, deletedAt: null } })
  return method?.secret
}

test('each row is told by itself, in the order of the rows, and a bad one keeps back no other', async t => {
  const [first = '', second = ''] = addresses(2)
  await send({ users: [{ email: second }] })
  const rows = [
    { email: ` ${first.toUpperCase()} `, email_verified: true, full_name: 'First', locale: 'de-CH', password_hash: foreign },
    { email: 'no address' },
    { email: first, full_name: 'Twice' },
    { email: second },
    { email: address(), system_role: 'admin' },
    { email: address(), password_hash: '$2b$31$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W' },
    { email: address(), password_hash: '' },
    { email: `\0${address()}` },
    { full_name: 5 },
    null,
    'text',
    [],
    { email: address(), email_verified: null, full_name: null, locale: null, password_hash: null },
  ]
  const { status, data } = await send({ users: rows })
  t.is(status, 200)
  const results: Row[] = data.results
  t.deepEqual(
    results.map(({ row }) => row),
    rows.map((_, index) => index),
  )
  t.deepEqual(statuses(results), ['created', ...Array(11).fill('failed'), 'created'])
  t.deepEqual(types(results).slice(2, 4), ['CONFLICT', 'CONFLICT'])
  t.deepEqual(paths(results), ['', 'email', 'email', 'email', '', 'password_hash', 'password_hash', 'email', 'email,full_name', '', '', '', ''])
  t.like(data, { created: 2, failed: 11, valid: 0, dry_run: false })
  const { data: made } = await api.ask(`GET /users/${results[0]?.id}`, { token: admin })
  t.like(made, { email: first.toUpperCase(), email_verified: true, full_name: 'First', locale: 'de-CH', system_role: null })
  t.is(await secretOf(first), foreign)
  t.is(await countEvents(results.map(({ id }) => id)), 2)
  t.false(JSON.stringify(data).includes('$2b$'))
})

test('lines are taken as the rows of JSON are, with the options in the query', async t => {
  const emails = addresses(3)
  const rows = emails.map(email => ({ email }))
  const dry = await sendLines(lines(rows), { query: '?dry_run=true' })
  t.deepEqual(statuses(dry.envelope.data.results), ['valid', 'valid', 'valid'])
  t.is(await countUsers(emails), 0)
  const kept = await sendLines(`\ufeff${lines(rows).trim().replaceAll('\n', '\r\n')}`)
  t.like(kept.envelope.data, { created: 3, failed: 0 })
  t.is(await countUsers(emails), 3)
})

test('a dry run writes nothing and tells what would be', async t => {
  const [first = '', second = ''] = addresses(2)
  await send({ users: [{ email: first }] })
  const many = addresses(600)
  const { data } = await send({
    dry_run: true,
    users: [{ email: first }, { email: second }, { email: 'x' }, { email: second }, ...many.map(email => ({ email }))],
  })
  t.deepEqual(statuses(data.results.slice(0, 4)), ['failed', 'valid', 'failed', 'failed'])
  t.like(data, { dry_run: true, created: 0, valid: 601, failed: 3 })
  t.like((await send({ users: [{ email: second }], dry_run: false }, { query: '?dry_run=true&mode=all' })).data, { dry_run: true, valid: 1 })
  t.is(await countUsers([second, ...many]), 0)
  const { rows } = await api.server.resources.database.pool.query("SELECT count(*)::int AS count FROM audit_events WHERE target->>'email' = $1", [second])
  t.is(rows[0].count, 0)
})

test('all or nothing is nothing where a row is bad, and the refusal names it', async t => {
  const [known = '', ...emails] = addresses(600)
  await send({ users: [{ email: known }] })
  const rows = emails.map(email => ({ email }))
  const [taken = ''] = emails
  for (const [bad, path] of [
    [{ email: 'x' }, 'users.3.email'],
    [{ email: known }, 'users.3.email'],
    [{ email: taken }, 'users.3.email'],
    [{ email: address(), password_hash: 'x' }, 'users.3.password_hash'],
    [{ email: address(), system_role: 'admin' }, 'users.3'],
  ] as const) {
    const { status, error } = await send({ mode: 'all', users: [...rows.slice(0, 3), bad, ...rows.slice(4)] })
    t.deepEqual([status, error?.type, error?.details.fields?.map(field => field.path)], [400, 'VALIDATION_ERROR', [path]])
    t.is(await countUsers(emails), 0)
  }
  const { status, data } = await send({ users: rows }, { query: '?mode=all' })
  t.deepEqual([status, data.created, await countUsers(emails)], [200, 599, 599])
  t.is(await countEvents(data.results.map(({ id }: Row) => id)), 599)
})

test('a second import of the same says of each that it is there', async t => {
  const users = addresses(300).map(email => ({ email }))
  t.is((await send({ users })).data.created, 300)
  const { data } = await send({ users })
  t.like(data, { created: 0, failed: 300 })
  t.deepEqual([...new Set(types(data.results))], ['CONFLICT'])
})

test('two imports of the same addresses at once make each user once, in whatever order', async t => {
  const emails = addresses(500)
  const rows = emails.map(email => ({ email, password_hash: foreign }))
  const replies = await Promise.all([send({ users: rows }), send({ users: rows.toReversed() }), sendLines(lines(rows))])
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200],
  )
  const created = replies.map(reply => ('envelope' in reply ? reply.envelope.data.created : reply.data.created))
  t.is(
    created.reduce((sum, one) => sum + one, 0),
    500,
  )
  t.is(await countUsers(emails), 500)
  const whole = addresses(500)
  const all = await Promise.all([whole, whole.toReversed()].map(one => send({ mode: 'all', users: one.map(email => ({ email })) })))
  t.deepEqual(all.map(({ status }) => status).toSorted(), [200, 400])
  t.is(await countUsers(whole), 500)
})

test('the first sign-in replaces the old hash, also where two come at once', async t => {
  const email = address()
  await send({ users: [{ email, password_hash: foreign }] })
  const signIn = (given: string) => api.ask('POST /auth/login', { body: { email, password: given } })
  t.is((await signIn('wrong')).status, 401)
  t.is(await secretOf(email), foreign)
  const replies = await Promise.all([signIn(phrase), signIn(phrase)])
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200],
  )
  t.regex((await secretOf(email)) ?? '', /^\$argon2id\$/)
  const { rows } = await api.server.resources.database.pool.query(
    'SELECT count(*)::int AS count FROM authentication_methods WHERE secret = $1 AND user_id = $2',
    [foreign, replies[0]?.data.user.id],
  )
  t.is(rows[0].count, 0)
  t.is((await signIn(phrase)).status, 200)
})

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
    head('POST /api/v1/users/import HTTP/1.1', `Host: ${new URL(api.server.issuer).host}`, `Authorization: Bearer ${admin}`, `Content-Type: ${type}`, ...more)
  for (const [type, bytes] of [
    ['application/json', 4 * 1024 ** 2 + 1],
    ['application/x-ndjson', 16 * 1024 ** 2 + 1],
  ] as const)
    t.is((await sendRaw(api.server.issuer, [lineOf(type, `Content-Length: ${bytes}`)])).status, 413)
  const pieces = Array.from({ length: 45 }, () => `186a0\r\n${'x'.repeat(100_000)}\r\n`)
  t.is((await sendRaw(api.server.issuer, [lineOf('application/json', 'Transfer-Encoding: chunked'), ...pieces, '0\r\n\r\n'])).status, 413)
  for (const type of ['text/plain', 'text/csv', 'application/x-ndjson; charset=utf-16'])
    t.is((await sendLines('{}', { headers: { 'content-type': type } })).status, 415, type)
  t.is((await sendLines('{}', { headers: { 'content-encoding': 'gzip' } })).status, 415)
  const [good = ''] = addresses(1)
  for (const [body, path] of [
    [`{"email":"${good}"}\n{"email":\n`, 'users.1'],
    [`{"email":"${good}"}\n\n{}\n`, 'users.1'],
    [Buffer.concat([Buffer.from(`{"email":"${good}"}\n"`), Buffer.from([0xff]), Buffer.from('"\n')]), 'users.1'],
    [`{"email":"${good}"}\n"${'x'.repeat(20_000)}"`, 'users.1'],
    ['', 'users'],
    ['1\n'.repeat(10_001), 'users'],
  ] as const) {
    const { status, envelope } = await sendLines(body)
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
    t.is((await send(body)).status, 400)
  t.is((await send({ users: [{ email: good }] }, { query: '?mode=some' })).status, 400)
  t.is((await send({ users: [{ email: good }] }, { query: '?dry_run=maybe' })).status, 400)
  t.is(await countUsers([good]), 0)
})

test('with an Idempotency-Key an import acts once and is answered again', async t => {
  const users = addresses(300).map(email => ({ email }))
  const headers = { 'idempotency-key': randomUUID() }
  const [first, second] = [await send({ users }, { headers }), await send({ users }, { headers })]
  t.is(first.data.created, 300)
  t.deepEqual(second.data, first.data)
  t.is(second.headers['idempotency-replayed'], 'true')
  t.is((await send({ users: users.slice(1) }, { headers })).status, 409)
  const both = { 'idempotency-key': randomUUID() }
  const more = addresses(300).map(email => ({ email }))
  const replies = await Promise.all([sendLines(lines(more), { headers: both }), sendLines(lines(more), { headers: both })])
  t.deepEqual(
    replies.map(({ envelope }) => envelope.data.created),
    [300, 300],
  )
})

// In processor time, for other processes of a busy machine are not what is measured.
const watchTurns = () => {
  let longest = 0
  let since = process.threadCpuUsage()
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(since)
    longest = Math.max(longest, (user + system) / 1000)
    since = process.threadCpuUsage()
  }, 1)
  return () => {
    clearInterval(timer)
    return longest
  }
}

test.serial('ten thousand move in, as lines and as one piece', async t => {
  for (const [count, mode, isLines] of [
    [10_000, 'each', true],
    [10_000, 'each', false],
    [2000, 'all', true],
  ] as const) {
    const emails = addresses(count)
    const rows = emails.map((email, index) => ({ email, email_verified: true, full_name: `Person ${index}`, locale: 'en', password_hash: foreign }))
    const body = isLines ? lines(rows) : JSON.stringify({ users: rows })
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    const stopWatching = watchTurns()
    const startedAt = performance.now()
    const headers = { authorization: `Bearer ${admin}`, 'content-type': isLines ? 'application/x-ndjson' : 'application/json' }
    const reply = await api.calls.call(`/api/v1/users/import?mode=${mode}`, { method: 'POST', headers, body })
    const milliseconds = performance.now() - startedAt
    const longest = stopWatching()
    const { data } = JSON.parse(reply.body)
    t.like(data, { created: count, failed: 0 })
    t.is(await countUsers([emails[0] ?? '', emails.at(-1) ?? '']), 2)
    const grown = (process.memoryUsage().rss - before) / 1024 ** 2
    t.log(
      `${count}, ${mode}, ${isLines ? 'lines' : 'JSON'}, ${Math.round(body.length / 1024)} KB: ${Math.round(milliseconds)} ms, ` +
        `longest turn ${Math.round(longest)} ms of processor time, memory grew by ${Math.round(grown)} MB`,
    )
    t.true(grown < 600)
  }
})
