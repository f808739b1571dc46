// The document says what the server does, and the example of a typed client does what it says.

import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { openApi } from '../../src/api/openapi.ts'
import { nothing } from '../../src/platform/http/route.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

test('the document lists every route once, with its permission', async t => {
  const { json } = await api.calls.call('/api/openapi.json')
  const document = json as unknown as ReturnType<typeof openApi>
  t.is(document.openapi, '3.1.0')
  const operations = Object.values(document.paths).flatMap(methods => Object.values(methods))
  t.is(operations.length, api.server.app.api.routes.length)
  t.is(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { path, method, permission } of api.server.app.api.routes) {
    const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    t.is(operation?.['x-permission'], permission, `${method} ${path}`)
  }
})

test('bodies and answers are described by the schemas that validate', t => {
  const document = openApi({ routes: api.server.app.api.routes, issuer: api.server.issuer })
  const login = JSON.stringify(document.paths['/auth/login'])
  t.true(login.includes('"additionalProperties":false'))
  t.true(login.includes('"token"'))
  t.true(JSON.stringify(document.paths['/api-keys']).includes('next_cursor'))
})

test('every body that an operation takes is described, one of alternatives too', t => {
  const { routes } = api.server.app.api
  const document = openApi({ routes, issuer: api.server.issuer })
  const bodyOf = (path: string, method: string) => document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]?.requestBody
  for (const { path, method, body } of routes) if (method !== 'GET') t.is(bodyOf(path, method) === undefined, body === nothing, `${method} ${path}`)
  t.like(bodyOf('/auth/reauthenticate', 'POST'), {
    content: { 'application/json': { schema: { anyOf: [{ required: ['factor', 'code'] }, { required: ['password'] }] } } },
  })
})

test('every name in the document leads to a part of it', t => {
  const document = openApi({ routes: api.server.app.api.routes, issuer: api.server.issuer })
  const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, name = '']) => name)
  for (const name of new Set(names)) {
    const part = name.split('/').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], document)
    t.truthy(part, name)
  }
})

test('the document says where each envelope is described, and that health, which it does not list, tells its states with a 503 too', t => {
  const { info, components, paths } = openApi({ routes: api.server.app.api.routes, issuer: api.server.issuer })
  const { description } = info as { description: string }
  const named = [...description.matchAll(/\bschemas? (\w+)/g)].map(([, name = '']) => name)
  t.deepEqual(named, ['Failure'])
  t.like(components, { schemas: { Failure: { properties: { data: { type: 'null' } } } } })
  t.false('/health' in paths)
  t.regex(description, /\/api\/health\b.* 503 .*`data`/)
})

test('the page reads without script and without anything from outside', async t => {
  const { status, body, headers } = await api.calls.call('/api/docs')
  t.is(status, 200)
  t.true(body.includes('/users/me/password'))
  t.false(/<script|https?:\/\/(?!localhost)|src=/.test(body.replaceAll(/<pre>[\s\S]*?<\/pre>/g, '')))
  t.regex(String(headers['content-security-policy']), /^default-src 'none'; style-src 'sha256-/)
})

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

test('the types were made from the document as it is now (else: npm run openapi:types)', t => {
  t.true(read('docs/typed-client/api.ts').startsWith(`// Made from openapi.json with the SHA-256 ${hash('sha256', read('openapi.json'))}.\n`))
})

test('the example signs in, makes an organization, lists its members page by page and handles a refusal', async t => {
  const example = fileURLToPath(new URL('docs/typed-client/example.ts', root))
  const { stdout } = await promisify(execFile)(process.execPath, [example, api.server.issuer])
  const [signedIn, made, ...rest] = stdout.trimEnd().split('\n')
  t.is(signedIn, 'Signed in as admin@authy2.local')
  t.is(made, 'Made initech')
  t.is(rest.pop(), 'Refused: This person is a member already.')
  t.deepEqual(rest.sort(), ['Member admin@authy2.local, owner', 'Member alice@acme-corp.com, member', 'Member bob@acme-corp.com, member'])
})
