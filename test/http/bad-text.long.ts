// Text that cannot be text, in every field of every form: refused in the shape of its surface, never a failure of ours.
import test from 'ava'
import { type Calls, createCalls, portal, type Reply } from '../support/calls.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { evils, prepareSurfaces, protocolSurfaces, type Surface, spoil } from '../support/surfaces.ts'

let server: TestServer
let calls: Calls
let initialToken: string
const failures: string[] = []
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
  initialToken = await prepareSurfaces(server)
  server.app.protocol.engine.current().on('server_error', (ctx, error) => failures.push(`${ctx.path}: ${error.stack}`))
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const send = ({ path, isQuery, headers = {} }: Surface, text: string): Promise<Reply> =>
  isQuery
    ? calls.call(`${path}?${text}`, { headers })
    : calls.call(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: text })

const isOurs = (location: string) => location.startsWith(`${portal.redirectUri}?`) || location.startsWith(server.issuer) || location.startsWith('/')

for (const surface of protocolSurfaces)
  test(`${surface.name} takes bad text in any field without failing or leading astray`, async t => {
    for (const name of Object.keys(surface.fields))
      for (const [kind, evil] of Object.entries(evils)) {
        const reply = await send(surface, spoil(surface.fields, name, evil))
        const told = `${kind} in ${name}: ${reply.status} ${reply.body.slice(0, 200)}`
        t.true(reply.status >= 200 && reply.status < 500, told)
        t.is(reply.headers['set-cookie']?.toString().includes('a=b'), reply.headers['set-cookie'] ? false : undefined, told)
        if (reply.headers.location !== undefined) t.true(isOurs(String(reply.headers.location)), told)
        if (reply.status >= 400 && String(reply.headers['content-type']).includes('json')) t.is(typeof reply.json.error, 'string', told)
      }
    t.deepEqual(failures, [])
    t.false('polluted' in {})
  })

const metadata = {
  redirect_uris: ['https://rp.example/cb'],
  client_name: 'name',
  client_uri: 'https://rp.example/',
  logo_uri: 'https://rp.example/logo.png',
  policy_uri: 'https://rp.example/policy',
  tos_uri: 'https://rp.example/tos',
  contacts: ['a@rp.example'],
  initiate_login_uri: 'https://rp.example/login',
  post_logout_redirect_uris: ['https://rp.example/'],
  default_acr_values: ['1'],
  default_max_age: 1,
  scope: 'openid',
  software_id: 'software',
  jwks: { keys: [] },
  jwks_uri: 'https://rp.example/jwks',
  sector_identifier_uri: 'https://rp.example/sector',
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['authorization_code'],
  response_types: ['code'],
  backchannel_logout_uri: 'https://rp.example/logout',
}
const evilValues: readonly unknown[] = [
  'a\0b',
  '\ud800',
  '__proto__',
  { __proto__: null, constructor: { prototype: { polluted: true } } },
  ['\0'],
  [null],
  null,
  -1,
  1e308,
  true,
  [],
  {},
  'x'.repeat(5000),
]

test('registration takes bad values in any member without failing', async t => {
  const register = (body: string) =>
    calls.call('/oauth2/register', { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${initialToken}` }, body })
  t.is((await register(JSON.stringify({ redirect_uris: metadata.redirect_uris }))).status, 201)
  const polluting = '{"redirect_uris":["https://rp.example/cb"],"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
  t.true((await register(polluting)).status < 500)
  for (const name of [...Object.keys(metadata), 'unknown'])
    for (const value of evilValues) {
      const { jwks: _jwks, jwks_uri: _jwksUri, sector_identifier_uri: _sector, ...plain } = metadata
      const reply = await register(JSON.stringify({ ...plain, [name]: value }))
      const told = `${JSON.stringify(value)?.slice(0, 60)} in ${name}: ${reply.status} ${reply.body.slice(0, 200)}`
      t.true(reply.status === 201 || reply.status === 400, told)
      if (reply.status === 400) t.is(typeof reply.json.error, 'string', told)
    }
  t.deepEqual(failures, [])
  t.false('polluted' in {})
})
