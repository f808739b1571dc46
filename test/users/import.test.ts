// Moving users in: who may, what is refused whole, a result a row, nothing half-written, each address once, also where the database fails.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import { createImportedPasswords } from '../../src/authentication/imported-passwords.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Change } from '../../src/platform/data/change.ts'
import { createUserImports } from '../../src/users/imports.ts'
import { startApi, type TestApi } from '../support/api.ts'
import { address, addresses, foreign, type Importing, importing, lines, type Row } from '../support/imports.ts'
import { head, sendRaw } from '../support/raw.ts'

let api: TestApi
let on: Importing
test.before(async () => {
  api = await startApi()
  on = await importing(api)
})
test.after.always(() => api?.close())

const phrase = 'correct horse battery staple'
const statuses = (results: readonly Row[]) => results.map(({ status }) => status)
const types = (results: readonly Row[]) => results.map(({ error }) => error?.type ?? 'none')
const paths = (results: readonly Row[]) => results.map(({ error }) => error?.fields.map(({ path }) => path).join() ?? '')

test('each row is told by itself, in the order of the rows, and a bad one keeps back no other', async t => {
  const [first = '', second = ''] = addresses(2)
  await on.send({ users: [{ email: second }] })
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
  const { status, data } = await on.send({ users: rows })
  t.is(status, 200)
  const results: Row[] = data.results
  t.deepEqual(
    results.map(({ row }) => row),
    rows.map((_, index) => index),
  )
  t.deepEqual(statuses(results), ['created', ...Array(11).fill('failed'), 'created'])
  t.deepEqual(types(results).slice(2, 4), ['CONFLICT', 'CONFLICT'])
  t.deepEqual(paths(results), ['', 'email', 'email', 'email', 'system_role', 'password_hash', 'password_hash', 'email', 'email,full_name', '', '', '', ''])
  t.like(data, { created: 2, failed: 11, valid: 0, dry_run: false })
  const { data: made } = await api.ask(`GET /users/${results[0]?.id}`, { token: on.admin })
  t.like(made, { email: first.toUpperCase(), email_verified: true, full_name: 'First', locale: 'de-CH', system_role: null })
  t.is(await on.secretOf(first), foreign)
  t.is(await on.countEvents(results.map(({ id }) => id)), 2)
  t.false(JSON.stringify(data).includes('$2b$'))
})

test('lines are taken as the rows of JSON are, with the options in the query', async t => {
  const emails = addresses(3)
  const rows = emails.map(email => ({ email }))
  const dry = await on.sendLines(lines(rows), { query: '?dry_run=true' })
  t.deepEqual(statuses(dry.envelope.data.results), ['valid', 'valid', 'valid'])
  t.is(await on.countUsers(emails), 0)
  const kept = await on.sendLines(`\ufeff${lines(rows).trim().replaceAll('\n', '\r\n')}`)
  t.like(kept.envelope.data, { created: 3, failed: 0 })
  t.is(await on.countUsers(emails), 3)
})

test('a dry run writes nothing and tells what would be', async t => {
  const [first = '', second = ''] = addresses(2)
  await on.send({ users: [{ email: first }] })
  const many = addresses(600)
  const { data } = await on.send({
    dry_run: true,
    users: [{ email: first }, { email: second }, { email: 'x' }, { email: second }, ...many.map(email => ({ email }))],
  })
  t.deepEqual(statuses(data.results.slice(0, 4)), ['failed', 'valid', 'failed', 'failed'])
  t.like(data, { dry_run: true, created: 0, valid: 601, failed: 3 })
  t.like((await on.send({ users: [{ email: second }], dry_run: false }, { query: '?dry_run=true&mode=all' })).data, { dry_run: true, valid: 1 })
  t.is(await on.countUsers([second, ...many]), 0)
  const { rows } = await api.server.resources.database.pool.query("SELECT count(*)::int AS count FROM audit_events WHERE target->>'email' = $1", [second])
  t.is(rows[0].count, 0)
})

test('all or nothing is nothing where a row is bad, and the refusal names it', async t => {
  const [known = '', ...emails] = addresses(600)
  await on.send({ users: [{ email: known }] })
  const rows = emails.map(email => ({ email }))
  const [taken = ''] = emails
  for (const [bad, path] of [
    [{ email: 'x' }, 'users.3.email'],
    [{ email: known }, 'users.3.email'],
    [{ email: taken }, 'users.3.email'],
    [{ email: address(), password_hash: 'x' }, 'users.3.password_hash'],
    [{ email: address(), system_role: 'admin' }, 'users.3.system_role'],
  ] as const) {
    const { status, error } = await on.send({ mode: 'all', users: [...rows.slice(0, 3), bad, ...rows.slice(4)] })
    t.deepEqual([status, error?.type, error?.details.fields?.map(field => field.path)], [400, 'VALIDATION_ERROR', [path]])
    t.is(await on.countUsers(emails), 0)
  }
  const { status, data } = await on.send({ users: rows }, { query: '?mode=all' })
  t.deepEqual([status, data.created, await on.countUsers(emails)], [200, 599, 599])
  t.is(await on.countEvents(data.results.map(({ id }: Row) => id)), 599)
})

test('a second import of the same says of each that it is there', async t => {
  const users = addresses(300).map(email => ({ email }))
  t.is((await on.send({ users })).data.created, 300)
  const { data } = await on.send({ users })
  t.like(data, { created: 0, failed: 300 })
  t.deepEqual([...new Set(types(data.results))], ['CONFLICT'])
})

test('two imports of the same addresses at once make each user once, in whatever order', async t => {
  const emails = addresses(500)
  const rows = emails.map(email => ({ email, password_hash: foreign }))
  const replies = await Promise.all([on.send({ users: rows }), on.send({ users: rows.toReversed() }), on.sendLines(lines(rows))])
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200],
  )
  const created = replies.map(reply => ('envelope' in reply ? reply.envelope.data.created : reply.data.created))
  t.is(
    created.reduce((sum, one) => sum + one, 0),
    500,
  )
  t.is(await on.countUsers(emails), 500)
  const whole = addresses(500)
  const all = await Promise.all([whole, whole.toReversed()].map(one => on.send({ mode: 'all', users: one.map(email => ({ email })) })))
  t.deepEqual(all.map(({ status }) => status).toSorted(), [200, 400])
  t.is(await on.countUsers(whole), 500)
})

test('the first sign-in replaces the old hash, also where two come at once', async t => {
  const email = address()
  await on.send({ users: [{ email, password_hash: foreign }] })
  const signIn = (given: string) => api.ask('POST /auth/login', { body: { email, password: given } })
  t.is((await signIn('wrong')).status, 401)
  t.is(await on.secretOf(email), foreign)
  const replies = await Promise.all([signIn(phrase), signIn(phrase)])
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200],
  )
  t.regex((await on.secretOf(email)) ?? '', /^\$argon2id\$/)
  const { rows } = await api.server.resources.database.pool.query(
    'SELECT count(*)::int AS count FROM authentication_methods WHERE secret = $1 AND user_id = $2',
    [foreign, replies[0]?.data.user.id],
  )
  t.is(rows[0].count, 0)
  t.is((await signIn(phrase)).status, 200)
})

test('a name is kept in one Unicode form, however it came', async t => {
  const email = address()
  const { data } = await on.send({ users: [{ email, full_name: ' Zoe\u0308 ' }] })
  t.is((await api.ask(`GET /users/${data.results[0].id}`, { token: on.admin })).data.full_name, 'Zo\u00eb')
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

/** Imports that are failed by this from the given batch on. */
const failing = (error: Error, from: number) => {
  let batches = 0
  const change: Change = async (actor, work) => {
    batches += 1
    if (batches >= from) throw error
    return api.server.services.change(actor, work)
  }
  const passwords = createImportedPasswords({ now: api.server.resources.now, newUuid: randomUUID })
  return createUserImports({ ...api.server.resources, change, passwords, newUuid: randomUUID })
}
const run = (error: Error, from: number) =>
  failing(error, from).run(systemActor, { rows: addresses(600).map(email => ({ email })), isDryRun: false, isWhole: false })
const typesOf = (results: readonly { error: { type: string } | null }[]) => results.map(({ error }) => error?.type ?? 'none')

for (const [what, error, type] of [
  ['a bug', new TypeError('not a function'), 'INTERNAL_ERROR'],
  ['a deadlock', Object.assign(new Error('deadlock detected'), { code: '40P01' }), 'SERVICE_UNAVAILABLE'],
  ['no order of transactions', Object.assign(new Error('could not serialize access'), { code: '40001' }), 'SERVICE_UNAVAILABLE'],
  ['a time-out', Object.assign(new Error('canceling statement'), { code: '57014' }), 'SERVICE_UNAVAILABLE'],
] as const) {
  test(`${what} after the first batch is told of the rows that were not made`, async t => {
    const { created, failed, results } = await run(error, 2)
    t.deepEqual([created, failed], [250, 350])
    t.deepEqual(typesOf(results), [...Array(250).fill('none'), ...Array(350).fill(type)])
  })

  test(`${what} before anything was made is thrown`, async t => {
    t.is(await t.throwsAsync(run(error, 1)), error)
  })
}
