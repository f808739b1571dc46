// Whatever a signed-in administrator sends, nothing falls over.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const bodies: readonly unknown[] = [
  undefined,
  {},
  [],
  'text',
  null,
  { email: 5, name: [], permissions: 'x' },
  { email: '\u{10ffff}@x', full_name: ' ', password: [] },
  { __proto__: null, constructor: 1 },
  { name: 'x'.repeat(5000), permissions: [null] },
]
const queries = ['', '?limit=5', '?after=AAAA', '?organization_id=%F0%9F%99%82', `?organization_id=${randomUUID()}`, '?q=%25_%5C']
const ids = [randomUUID(), 'x', '..%2f', '%F0%9F%99%82', '00000000-0000-0000-0000-000000000000', 'me']
// These would take away what the test stands on.
const left = new Set(['POST /auth/logout', 'DELETE /auth/sessions', 'DELETE /users/me'])

test('no operation answers 500 to what makes no sense', async t => {
  const { id, token } = await api.signIn()
  await api.server.resources.database.pool.query("UPDATE users SET system_role = 'admin' WHERE id = $1", [id])
  let asked = 0
  for (const { method, path, isLines } of api.server.app.api.routes.filter(one => !left.has(`${one.method} ${one.path}`)))
    for (const name of ids.slice(0, path.includes(':') ? ids.length : 1)) {
      const address = path.replace(/:\w+/g, name)
      if (left.has(`${method} ${address}`)) continue
      const given = method === 'GET' ? queries.map(query => ({ query, body: undefined })) : bodies.map(body => ({ query: '', body }))
      for (const { query, body } of given) {
        const { status, success } = await api.ask(`${method} ${address}${query}`, { token, body })
        t.true(status < 500, `${method} ${address}${query} ${JSON.stringify(body)?.slice(0, 80)}: ${status}`)
        // Lines have no envelope, a refusal always has.
        if (!isLines || status >= 400) t.is(success, status < 400)
        asked += 1
      }
    }
  t.log(`${asked} requests`)
})
