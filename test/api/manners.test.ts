// How every operation takes and answers: lists in pages, writes that act once, refusals, names, deep nesting, and jobs as their list shows them.

import { randomUUID } from 'node:crypto'
import test from 'ava'
import { z } from 'zod'
import { systemActor } from '../../src/platform/actor.ts'
import type { JobKind } from '../../src/platform/jobs/job.ts'
import { makeAdmin, password, startApi, type TestApi } from '../support/api.ts'
import { makeOrganization } from '../support/organization.ts'
import { beginSignIn, beside } from '../support/sign-in-pages.ts'

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  for (let made = 1; made < 7; made += 1) await api.signIn(person)
  token = person.token
  keeper = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [keeper.id])
  adminToken = (await administrator()).token
  const { apiKeys } = api.server.services
  writingKey = (await apiKeys.create(systemActor, { name: 'Writes', permissions: ['clients:write', 'users:write'] })).key
  admin = await makeAdmin(api)
  anybody = (await api.signIn()).token
  organization = (await api.ask('POST /organizations', { token: anybody, body: { name: 'Names' } })).data.id
  client = (await api.ask('POST /clients', { token: admin, body: { name: 'One', redirect_uris: ['https://one.example/cb'] } })).data.client.id
})
test.after.always(() => api?.close())

const list = (query: string, bearer = token) => api.ask(`GET /auth/sessions${query}`, { token: bearer })

test('pages follow each other to the end', async t => {
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 4; page += 1) {
    const { data, meta, status } = await list(`?limit=2${after}`)
    t.is(status, 200)
    t.deepEqual([meta?.limit, meta?.total], [2, 7])
    seen.push(...data.map(({ id }: { id: string }) => id))
    if (!meta?.next_cursor) break
    after = `&after=${meta.next_cursor}`
  }
  t.is(seen.length, 7)
  t.is(new Set(seen).size, 7)
})

test('a list is twenty long unless told', async t => {
  const { meta } = await list('')
  t.deepEqual(meta, { limit: 20, next_cursor: null, total: 7 })
})

for (const query of [
  '?limit=0',
  '?limit=101',
  '?limit=-1',
  '?limit=two',
  '?limit=1.5',
  '?limit=1e1',
  '?limit=1&limit=2',
  '?sort=name',
  '?offset=1',
  '?__proto__=1',
  '?after=x',
  '?after=',
  '?after[]=x',
])
  test(`the query ${query} is refused`, async t => {
    const reply = await list(query)
    t.deepEqual([reply.status, reply.error?.type], [400, 'VALIDATION_ERROR'])
  })

test('a cursor that was changed, or is of another list, is refused', async t => {
  const cursor = (await list('?limit=2')).meta?.next_cursor ?? ''
  t.is((await list(`?after=${cursor}`)).status, 200)
  const bytes = Buffer.from(cursor, 'base64url')
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1
  t.is((await list(`?after=${bytes.toString('base64url')}`)).status, 400)
  const foreign = api.server.services.lists.open('another', { limit: 1 }).page({ rows: [1, 2], total: 2, cursorOf: () => ['2026-01-01T00:00:00Z', 'x'] })
  t.is((await list(`?after=${foreign.meta.next_cursor}`)).status, 400)
})

test('an unchanged list is not sent again', async t => {
  const first = await list('?limit=3')
  const again = await api.ask('GET /auth/sessions?limit=3', { token, headers: { 'if-none-match': String(first.headers.etag) } })
  t.is(again.status, 304)
})

let keeper: { id: string; token: string }

const makeOnce = (key: string, body: object = { name: 'Once', permissions: ['users:read'] }, token = keeper.token) =>
  api.ask('POST /api-keys', { token, body, headers: { 'idempotency-key': key } })
const count = async () => (await api.ask('GET /api-keys', { token: keeper.token })).meta?.total ?? 0

test.serial('ten that are sent at once act once and are answered alike', async t => {
  const before = await count()
  const key = randomUUID()
  const replies = await Promise.all(Array.from({ length: 10 }, () => makeOnce(key)))
  t.deepEqual([...new Set(replies.map(({ status }) => status))], [201])
  t.is(new Set(replies.map(({ data }) => data.key)).size, 1)
  t.is(replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true').length, 9)
  t.is(await count(), before + 1)
})

test.serial('the key for another request is a conflict', async t => {
  const key = randomUUID()
  t.is((await makeOnce(key)).status, 201)
  const reply = await makeOnce(key, { name: 'Twice', permissions: ['users:read'] })
  t.deepEqual([reply.status, reply.error?.type], [409, 'CONFLICT'])
})

test.serial('another caller’s key is another key', async t => {
  const key = randomUUID()
  const other = await makeOnce(randomUUID(), { name: 'Caller', permissions: ['api_keys:read', 'api_keys:write', 'users:read'] })
  t.is((await makeOnce(key)).status, 201)
  const body = { name: 'Mine', permissions: ['api_keys:read'] }
  t.is((await makeOnce(key, body, other.data.key)).status, 201)
})

test.serial('a refused request is not kept', async t => {
  const key = randomUUID()
  t.is((await makeOnce(key, { name: 'x', permissions: ['users:read'], expires_at: '2001-01-01T00:00:00Z' })).status, 400)
  t.is((await makeOnce(key)).status, 201)
})

test.serial('a key that is none is refused', async t => {
  for (const key of ['x'.repeat(256), 'a b']) t.is((await makeOnce(key)).status, 400)
})

test.serial('no answer is kept in the clear', async t => {
  const { data } = await makeOnce(randomUUID())
  const { rows } = await api.server.resources.database.pool.query('SELECT answer FROM idempotency_keys')
  t.true(rows.length > 0)
  t.false(rows.some(({ answer }) => answer?.includes(data.key.slice(7)) || Buffer.from(answer ?? '', 'base64').includes(data.key)))
})

// Nobody in the server does jobs of this kind, so they stay.
const kind: JobKind<{ secret: string }> = { name: 'test.idle', schema: z.object({ secret: z.string() }), maxAttempts: 3 }

let adminToken: string

const administrator = async () => {
  const person = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [person.id])
  return person
}
const add = () => api.server.resources.database.prisma.$transaction(tx => api.server.services.queue.add(tx, { kind, payload: { secret: 'violets' } }))
const jobs = async (query = '') => (await api.ask(`GET /jobs${query}`, { token: adminToken })).data.filter((job: { kind: string }) => job.kind === kind.name)

test.serial('jobs are listed by state, without what they say', async t => {
  await add()
  await add()
  const [claimed] = await api.server.services.queue.claim([kind.name], 1)
  if (!claimed) return t.fail()
  await api.server.services.queue.postpone(claimed, { reason: 'no such person' })
  const dead = await jobs('?state=dead')
  t.is(dead.length, 1)
  t.like(dead[0], { state: 'dead', attempts: 1, last_error: 'no such person' })
  t.false(JSON.stringify(dead).includes('payload'))
  t.is((await jobs('?state=waiting')).length, 1)
  t.is((await jobs()).length, 2)
  t.is((await api.ask('GET /jobs?state=done', { token: adminToken })).status, 400)
})

test.serial('a page of jobs leads to the next', async t => {
  const first = await api.ask('GET /jobs?limit=1', { token: adminToken })
  const second = await api.ask(`GET /jobs?limit=1&after=${first.meta?.next_cursor}`, { token: adminToken })
  t.is(first.data.length, 1)
  t.is(second.data.length, 1)
  t.not(first.data[0].id, second.data[0].id)
})

test.serial('a job that was given up is tried again, once somebody says so', async t => {
  const [dead] = await jobs('?state=dead')
  const again = await api.ask(`POST /jobs/${dead.id}/retry`, { token: adminToken })
  t.is(again.status, 200)
  t.like(again.data, { state: 'waiting', attempts: 0, dead_at: null })
  t.truthy((await api.server.services.queue.claim([kind.name], 5)).find(({ id }) => id === dead.id))
  t.is((await api.ask(`POST /jobs/${dead.id}/retry`, { token: adminToken })).status, 409)
})

test.serial('a job is deleted once', async t => {
  const [one] = await jobs()
  t.is((await api.ask(`DELETE /jobs/${one.id}`, { token: adminToken })).status, 200)
  t.is((await api.ask(`DELETE /jobs/${one.id}`, { token: adminToken })).status, 404)
  t.is((await api.ask(`POST /jobs/${randomUUID()}/retry`, { token: adminToken })).status, 404)
})

test.serial('jobs are for administrators of the system', async t => {
  const { token: someone } = await api.signIn()
  t.is((await api.ask('GET /jobs', { token: someone })).status, 403)
  t.is((await api.ask('GET /jobs')).status, 401)
})

let writingKey: string

const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`

const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
  const reply = await api.calls.call(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${writingKey}`, 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: reply.status, json: JSON.parse(reply.body) }
}

test('a client whose keys are nested very deeply is refused with 400, with and without an Idempotency-Key', async t => {
  const body = (depth: number) => `{"name":"Deep","redirect_uris":["https://rp.example/cb"],"jwks":{"keys":[{"a":${nested(depth)}}]}}`
  for (const headers of [{}, { 'idempotency-key': 'deep' }] as Record<string, string>[])
    for (const depth of [61, 2000, 45_000]) {
      const { status, json } = await post('/api/v1/clients', body(depth), headers)
      t.deepEqual([status, json.error.type], [400, 'VALIDATION_ERROR'], `${depth}`)
    }
  const { status, json } = await post('/api/v1/clients', body(30))
  t.is(status, 400)
  t.regex(JSON.stringify(json.error.details), /jwks/, 'what is not too deep is looked at')
})

test('a row that is nested very deeply is refused with 400 that names it', async t => {
  const row = `{"email":"deep@people.example","full_name":${nested(2000)}}`
  for (const [body, type] of [
    [`{"users":[{"email":"flat@people.example"},${row}]}`, 'application/json'],
    [`{"email":"flat@people.example"}\n${row}\n`, 'application/x-ndjson'],
  ] as const) {
    const { status, json } = await post('/api/v1/users/import', body, { 'content-type': type })
    t.deepEqual([status, json.error.details.fields], [400, [{ path: 'users.1', message: 'is nested too deeply' }]], type)
  }
})

test('a registration that is nested very deeply is refused as an OAuth error', async t => {
  const initial = await new (api.server.app.protocol.engine.current().InitialAccessToken)({}).save()
  const body = `{"redirect_uris":["https://rp.example/cb"],"jwks":{"keys":[{"kty":"RSA","a":${nested(2000)}}]}}`
  const { status, json } = await post('/oauth2/register', body, { authorization: `Bearer ${initial}` })
  t.is(status, 400)
  t.is(typeof json.error, 'string')
})

const eventsOf = (actorId: string) => api.server.resources.database.prisma.auditEvent.findMany({ where: { actorId, action: 'request.refused' } })

test('a write that is refused for who asks or for what is there leaves exactly one event, of its organization where it is in one', async t => {
  const { id, base, member, owner } = await makeOrganization(api)
  t.is((await api.ask('POST /users', { token: member.token, body: { email: 'x@people.example' } })).status, 403)
  const [ofSystem, ...more] = await eventsOf(member.id)
  t.like(ofSystem, { outcome: 'refused', organizationId: null, target: { operation: 'POST /users', code: 'forbidden' } })
  t.is(more.length, 0)
  t.is((await api.ask(`DELETE ${base}/members/${owner.id}`, { token: owner.token })).status, 409)
  const [ofPlace, ...others] = await eventsOf(owner.id)
  t.like(ofPlace, { outcome: 'refused', organizationId: id, target: { operation: 'DELETE /organizations/:id/members/:userId', code: 'last_owner' } })
  t.is(others.length, 0)
})

test('reads, what is not there, what is not valid and what nobody known asked leave none', async t => {
  const { base, member } = await makeOrganization(api)
  const { token } = member
  t.is((await api.ask('GET /users', { token })).status, 403)
  t.is((await api.ask(`DELETE ${base}/members/x`, { token })).status, 400)
  t.is((await api.ask('DELETE /organizations/01900000-0000-7000-8000-000000000000', { token })).status, 404)
  t.is((await api.ask('POST /users', { body: {} })).status, 401)
  t.deepEqual(await eventsOf(member.id), [])
})

test('an unknown field is told by its own path, and an empty Idempotency-Key is refused', async t => {
  const { token } = await api.signIn()
  const body = { name: 'x', what: 1 }
  t.is((await api.ask('POST /organizations', { token, body })).error?.details.fields?.[0]?.path, 'what')
  t.is((await api.ask('GET /organizations?what=1', { token })).error?.details.fields?.[0]?.path, 'what')
  t.is((await api.ask('POST /organizations', { token, body: { name: 'x' }, headers: { 'idempotency-key': '' } })).status, 400)
})

test('a weak tag never matches where a version is asked for, and documents take no other method', async t => {
  const { base, owner } = await makeOrganization(api)
  const etag = String((await api.ask(`GET ${base}`, { token: owner.token })).headers.etag)
  const rename = (tag: string) => api.ask(`PATCH ${base}`, { token: owner.token, body: { name: 'Renamed' }, headers: { 'if-match': tag } })
  t.is((await rename(`W/${etag}`)).status, 412)
  t.is((await rename(etag)).status, 200)
  for (const path of ['/api/docs', '/api/openapi.json']) t.is((await api.calls.call(path, { method: 'POST' })).status, 405, path)
})

let admin: string
let anybody: string
let organization: string
let client: string

const broken = [
  'Ada\r\nBcc: all@people.example',
  'a\tb',
  'a\u0085b',
  'a\u2028b',
  'a\u2029b',
  'Ada \u202eevil',
  'a\u2066b\u2069',
  'a\u007fb',
  '\u202a',
  '  ',
  '',
]
const links = ['Win at https://evil.example', 'www.evil.example', 'See WWW.evil.example now', 'ftp://evil']
let named = 0
const email = () => `name-${named++}@people.example`

/** Every body that names something: what is asked with the name, the field that is told, whether mails carry it to strangers. */
const places: Readonly<Record<string, { ask: (name: string) => Promise<{ status: number; error: unknown; data: unknown }>; path: string; isMailed: boolean }>> =
  {
    oneself: { ask: name => api.ask('PATCH /users/me', { token: anybody, body: { full_name: name } }), path: 'full_name', isMailed: true },
    'who registers': {
      ask: name => api.ask('POST /auth/register', { body: { email: email(), password, full_name: name } }),
      path: 'full_name',
      isMailed: true,
    },
    'a new user': { ask: name => api.ask('POST /users', { token: admin, body: { email: email(), full_name: name } }), path: 'full_name', isMailed: true },
    'an organization': { ask: name => api.ask('POST /organizations', { token: anybody, body: { name } }), path: 'name', isMailed: true },
    'a changed organization': {
      ask: name => api.ask(`PATCH /organizations/${organization}`, { token: anybody, body: { name } }),
      path: 'name',
      isMailed: true,
    },
    'a role': {
      ask: name => api.ask(`POST /organizations/${organization}/roles`, { token: anybody, body: { name, permissions: [] } }),
      path: 'name',
      isMailed: true,
    },
    'a client': {
      ask: name => api.ask('POST /clients', { token: admin, body: { name, redirect_uris: ['https://one.example/cb'] } }),
      path: 'name',
      isMailed: false,
    },
    'a changed client': { ask: name => api.ask(`PATCH /clients/${client}`, { token: admin, body: { name } }), path: 'name', isMailed: false },
    'a branding': {
      ask: name => api.ask(`PATCH /clients/${client}`, { token: admin, body: { branding: { name } } }),
      path: 'branding.name',
      isMailed: false,
    },
    'a connection': {
      ask: name =>
        api.ask('POST /connections', { token: admin, body: { connector: 'github', name, settings: { client_id: 'a' }, secrets: { client_secret: 'b' } } }),
      path: 'name',
      isMailed: false,
    },
    'an API key': { ask: name => api.ask('POST /api-keys', { token: admin, body: { name, permissions: ['users:read'] } }), path: 'name', isMailed: false },
    'a factor': { ask: name => api.ask('POST /users/me/factors', { token: anybody, body: { kind: 'totp', name } }), path: 'name', isMailed: false },
  }

for (const [what, { ask, path, isMailed }] of Object.entries(places)) {
  test(`the name of ${what} is one line that hides nothing`, async t => {
    for (const name of [...broken, ...(isMailed ? links : [])]) {
      const { status, error } = await ask(name)
      t.is(status, 400, JSON.stringify(name))
      t.like(error, { type: 'VALIDATION_ERROR', details: { fields: [{ path }] } }, JSON.stringify(name))
    }
  })
  if (what !== 'a role')
    test(`the name of ${what} is kept in one form, without the space around it`, async t => {
      const { status, data } = await ask(' Zoe\u0308 O’Neill 👩🏽‍🚀 عائشة\n')
      t.true(status === 200 || status === 201, String(status))
      t.true(JSON.stringify(data).includes('"Zoë O’Neill 👩🏽‍🚀 عائشة"'))
    })
}

test('the name of an imported user is refused as at the API, row by row', async t => {
  const rows = [...broken, ...links].map(name => ({ email: email(), full_name: name }))
  const { data } = await api.ask('POST /users/import', { token: admin, body: { users: rows } })
  t.deepEqual(
    data.results.map(({ error }: { error: { fields: { path: string }[] } | null }) => error?.fields[0]?.path),
    rows.map(() => 'full_name'),
  )
})

test('the sign-up page says in its language what a name must not have', async t => {
  const { person, page } = await beginSignIn(api.server, { parameters: { ui_locales: 'de' } })
  const form = await person.get(beside(page.url, 'sign-up'))
  for (const name of ['Ada \u202eevil', 'www.evil.example']) {
    const answer = await person.submit(form, { email: email(), name, password: 'violet umbrella 77' })
    t.is(answer.status, 400)
    t.true(answer.body.includes('Ein Name'), name)
  }
})

test('a client that registers itself is refused a name that hides something', async t => {
  const { InitialAccessToken } = api.server.app.protocol.engine.current()
  const register = async (name: string) =>
    fetch(`${api.server.issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await new InitialAccessToken().save()}` },
      body: JSON.stringify({ client_name: name, redirect_uris: ['https://one.example/cb'] }),
    })
  t.is((await register('Ada \u202eevil')).status, 400)
  t.is((await register('One app')).status, 201)
})

test('a body whose bytes are no UTF-8 is refused, and so is the character that would stand for them', async t => {
  const send = (body: Buffer) =>
    fetch(`${api.server.issuer}/api/v1/organizations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${anybody}`, 'content-type': 'application/json' },
      body,
    })
  for (const name of [Buffer.from([0xff]), Buffer.from([0xc3, 0x28]), Buffer.from('\ufffd')])
    t.is((await send(Buffer.concat([Buffer.from('{"name":"A'), name, Buffer.from('"}')]))).status, 400)
  t.is((await send(Buffer.from('{"name":"Ä🙂"}'))).status, 201)
})

test('a path is its operation’s only as it is written: not with a slash behind it, nor in other letters', async t => {
  for (const path of ['/organizations/', '/Organizations', '/users/me/', '/USERS/import']) {
    t.is((await api.ask(`GET ${path}`, { token: adminToken })).status, 404, path)
    t.is((await api.ask(`POST ${path}`, { token: adminToken, body: { name: 'Slash' } })).status, 404, path)
  }
})
