// Refusals below /api: always the envelope, never a word of the inside.
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi({ CORS_ORIGINS: 'https://app.example.com, https://other.example.com', API_REQUESTS_PER_MINUTE: '50' })
  token = (await api.signIn()).token
})
test.after.always(() => api?.close())

test('what is not there and what cannot be done are told in the envelope', async t => {
  const missing = await api.ask('GET /nothing')
  t.deepEqual([missing.status, missing.success, missing.data, missing.error], [404, false, null, { type: 'NOT_FOUND', details: {} }])
  const wrong = await api.ask('PUT /auth/login')
  t.deepEqual([wrong.status, wrong.headers.allow], [405, 'POST'])
})

test('bodies that are none are refused by kind', async t => {
  const send = (body: string | Buffer, type = 'application/json') =>
    api.calls.call('/api/v1/auth/login', { method: 'POST', body, headers: { 'content-type': type } })
  for (const [body, type, status] of [
    ['{', 'application/json', 400],
    ['[]', 'application/json', 400],
    ['"x"', 'application/json', 400],
    ['{"email":"a","password":"b\\u0000"}', 'application/json', 400],
    ['email=a&password=b', 'application/x-www-form-urlencoded', 415],
    ['{"email":"a","password":"b"}', 'text/plain', 415],
    [`{"email":"${'a'.repeat(120_000)}"}`, 'application/json', 413],
  ] as const) {
    const reply = await send(body, type)
    t.is(reply.status, status, body.slice(0, 40))
    t.is(reply.json.success, false)
  }
})

test('a body that a route does not take is refused, also where it deletes', async t => {
  const { id, token: other } = await api.signIn()
  const headers = { authorization: `Bearer ${other}`, 'content-type': 'application/json' }
  const reply = await api.calls.call('/api/v1/users/me', { method: 'DELETE', headers, body: '{"hard":true}' })
  t.is(reply.status, 400)
  t.truthy(await api.server.services.users.find(id))
  t.is((await api.calls.call('/api/v1/users/me', { method: 'DELETE', headers, body: '{}' })).status, 200)
})

test('every wrong field is named', async t => {
  const reply = await api.ask('POST /auth/register', { body: { email: 5, full_name: '', extra: true } })
  const paths = reply.error?.details.fields?.map(({ path }) => path) ?? []
  for (const path of ['email', 'password', 'full_name']) t.true(paths.includes(path), path)
})

test('a well-formed request id is taken, another replaced', async t => {
  t.is((await api.ask('GET /nothing', { headers: { 'x-request-id': 'abcdefgh-1234' } })).request_id, 'abcdefgh-1234')
  t.not((await api.ask('GET /nothing', { headers: { 'x-request-id': '<x>' } })).request_id, '<x>')
})

test('pages of the named origins may call, without cookies; others may not', async t => {
  const preflight = (origin: string) =>
    api.calls.call('/api/v1/users/me', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' },
    })
  const known = await preflight('https://app.example.com')
  t.deepEqual(
    [known.status, known.headers['access-control-allow-origin'], known.headers['access-control-allow-credentials']],
    [204, 'https://app.example.com', undefined],
  )
  t.regex(String(known.headers.vary), /Origin/)
  for (const origin of ['https://evil.example', 'null', 'https://app.example.com.evil.example', 'http://app.example.com'])
    t.is((await preflight(origin)).headers['access-control-allow-origin'], undefined, origin)
  const reply = await api.ask('GET /users/me', { token, headers: { origin: 'https://other.example.com' } })
  t.is(reply.headers['access-control-allow-origin'], 'https://other.example.com')
})

test('each caller has a budget, which is told, and is refused beyond it', async t => {
  const caller = (await api.signIn()).token
  const first = await api.ask('GET /users/me', { token: caller })
  t.is(first.headers['ratelimit-policy'], '"api";q=50;w=60')
  t.regex(String(first.headers.ratelimit), /^"api";r=49;t=\d+$/)
  for (let asked = 1; asked < 50; asked += 1) await api.ask('GET /users/me', { token: caller })
  const refused = await api.ask('GET /users/me', { token: caller })
  t.deepEqual([refused.status, refused.error?.type], [429, 'RATE_LIMITED'])
  t.true(Number(refused.headers['retry-after']) > 0)
  t.is((await api.ask('GET /users/me', { token })).status, 200, 'another caller has their own')
})
