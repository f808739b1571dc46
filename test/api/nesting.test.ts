// JSON that is nested deeper than anybody means: refused in the shape of its surface, however small it is.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi()
  const { apiKeys } = api.server.services
  token = (await apiKeys.create(systemActor, { name: 'Writes', permissions: ['clients:write', 'users:write'] })).key
})
test.after.always(() => api?.close())

const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`

const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
  const reply = await api.calls.call(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
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
