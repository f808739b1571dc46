// Methods, hosts and paths that nothing serves, in every writing: turned away in the shape of their surface.
import test from 'ava'
import { type Calls, createCalls, portal } from '../support/calls.ts'
import { head, sendRaw } from '../support/raw.ts'
import { freePort, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let calls: Calls
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const host = () => new URL(server.issuer).host
const paths = [
  '/',
  '/api/health',
  '/api/nothing',
  '/oauth2/token',
  '/oauth2/authorize',
  '/oauth2/userinfo',
  '/oauth2/jwks',
  '/oauth2/par',
  '/oauth2/introspect',
  '/oauth2/revoke',
  '/oauth2/register',
  '/oauth2/device_authorization',
  '/oauth2/logout',
  '/device',
  '/interaction/x',
  '/interaction/x/password',
  '/assets/x.css',
  '/.well-known/openid-configuration',
]

for (const method of ['TRACE', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'BREW'])
  test(`the method ${method} is refused with a 4xx on every path`, async t => {
    for (const path of paths) {
      const answer = await sendRaw(server.issuer, [head(`${method} ${path} HTTP/1.1`, `Host: ${host()}`, 'Accept: application/json', 'X-Echo: secret')])
      t.true(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`)
      t.false(answer.body.includes('secret'), 'nothing is echoed')
    }
  })

test('a protocol path says which methods it takes', async t => {
  for (const [path, method, allow] of [
    ['/oauth2/token', 'GET', 'POST'],
    ['/oauth2/introspect', 'PUT', 'POST'],
    ['/oauth2/jwks', 'POST', 'GET, HEAD'],
    ['/oauth2/authorize', 'DELETE', 'GET, HEAD, POST'],
  ] as const) {
    const answer = await calls.call(path, { method })
    t.is(answer.status, 405, path)
    t.is(answer.headers.allow, allow)
  }
})

test('a protocol path says so too when it is asked what it takes', async t => {
  for (const [path, allow] of [
    ['/oauth2/token', 'POST, OPTIONS'],
    ['/oauth2/jwks', 'GET, HEAD, OPTIONS'],
    ['/oauth2/authorize', 'GET, HEAD, POST, OPTIONS'],
    ['/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
  ] as const) {
    const answer = await calls.call(path, { method: 'OPTIONS' })
    t.is(answer.status, 204, path)
    t.is(answer.headers.allow, allow)
  }
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  t.is((await calls.call('/oauth2/token', { method: 'OPTIONS', headers: preflight })).headers['access-control-allow-methods'], 'POST')
})

test('a method override is not heard', async t => {
  const reply = await calls.call('/api/health', { headers: { 'x-http-method-override': 'DELETE' } })
  t.is(reply.status, 200)
})

test('below /api a wrong method says which are right and a wrong path says that there is none, in the envelope', async t => {
  const wrongMethod = await calls.call('/api/health', { method: 'POST' })
  t.is(wrongMethod.status, 405)
  t.is(wrongMethod.json.success, false)
  t.is((wrongMethod.json.error as { type: string }).type, 'METHOD_NOT_ALLOWED')
  t.deepEqual(String(wrongMethod.headers.allow).split(', ').sort(), ['GET', 'HEAD'])
  for (const path of ['/api', '/api/', '/api/nothing', '/api/health/x', '/api/__proto__']) {
    const reply = await calls.call(path)
    t.is(reply.status, 404, path)
    t.is((reply.json.error as { type: string }).type, 'NOT_FOUND', path)
  }
})

const foreignHosts = ['evil.example', 'localhost', 'localhost:1', 'evil.example:80@localhost', '127.0.0.1', '', 'localhost:3000, evil.example', '[::1]']

for (const foreign of foreignHosts)
  test(`the host ${JSON.stringify(foreign)} is refused and never repeated`, async t => {
    for (const path of ['/api/health', '/oauth2/token', '/.well-known/openid-configuration', '/device']) {
      const answer = await sendRaw(server.issuer, [head(`GET ${path} HTTP/1.1`, `Host: ${foreign}`)])
      t.true([400, 421].includes(answer.status), `${path}: ${answer.status}`)
      if (foreign.includes('evil')) t.false(answer.body.includes('evil'))
    }
  })

test('the port that the scheme has anyway may stand in the host, and stands in no address', async t => {
  const port = await freePort()
  const secure = await startServer({ port, settings: { ISSUER: 'https://id.example.test', TRUST_PROXY: '1' } })
  t.teardown(secure.close)
  const ask = (path: string, ...lines: string[]) => sendRaw(`http://localhost:${port}`, [head(`GET ${path} HTTP/1.1`, ...lines)])
  const authorize = `/oauth2/authorize?${new URLSearchParams({ client_id: portal.id, redirect_uri: portal.redirectUri, response_type: 'code', scope: 'openid', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })}`
  for (const lines of [['Host: id.example.test:443'], ['Host: ID.example.test:443'], ['Host: inner.example', 'X-Forwarded-Host: id.example.test:443']]) {
    t.is((await ask('/api/health', ...lines)).status, 200, lines.join())
    // Made by the engine first, then answered from the buffer.
    for (const _time of ['made', 'kept']) t.is(JSON.parse((await ask('/.well-known/openid-configuration', ...lines)).body).issuer, secure.issuer)
    const { status, headers } = await ask(authorize, ...lines)
    t.is(status, 303, lines.join())
    t.regex(headers.location ?? '', /^(https:\/\/id\.example\.test)?\/interaction\//)
  }
  for (const other of ['id.example.test:80', 'id.example.test:4430', 'id.example.test:443:443', ':443'])
    for (const path of ['/api/health', '/.well-known/openid-configuration']) t.true([400, 421].includes((await ask(path, `Host: ${other}`)).status), other)
})

test('two Host headers, or none, are 400', async t => {
  for (const path of ['/api/health', '/oauth2/token', '/.well-known/openid-configuration', '/oauth2/jwks'])
    for (const hosts of [[`Host: ${host()}`, 'Host: evil.example'], ['Host: evil.example', `Host: ${host()}`], [`Host: ${host()}`, `host: ${host()}`], []]) {
      await calls.call(path)
      const answer = await sendRaw(server.issuer, [head(`GET ${path} HTTP/1.1`, ...hosts)])
      t.is(answer.status, 400, `${path} ${hosts}`)
    }
})

test('a forwarded host or protocol changes no address', async t => {
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', forwarded: 'host=evil.example;proto=gopher', 'x-real-ip': '1.2.3.4' }
  const reply = await calls.call('/.well-known/openid-configuration', { headers })
  t.is(reply.json.issuer, server.issuer)
  t.is(reply.json.token_endpoint, `${server.issuer}/oauth2/token`)
  t.false((await calls.call('/device', { headers })).body.includes('evil.example'))
})

const tricks = [
  '//evil.example/',
  '//',
  '/\\evil.example',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets/../../package.json',
  '/api/..;/health',
  '/api;x/health',
  '/api//health',
  '/api/health;x=y',
  '/api/%68ealth%2f',
  '/oauth2//token',
  '/oauth2/token/',
  '/oauth2/token;x',
  '/oauth2/%74oken%20',
  '/OAUTH2/TOKEN',
  '/interaction/%2e%2e/password',
  '/interaction/%',
  '/interaction/%E0%A4%A/password',
  '/interaction/%00',
  '/interaction/__proto__',
  `/interaction/${'x'.repeat(8000)}`,
  '/oauth2/authorize/%',
  '/oauth2/authorize/__proto__',
  '/oauth2/register/%',
  '/oauth2/register/%00',
  `/${'a/'.repeat(3000)}`,
  '/?%',
  '/oauth2/authorize?%',
  '/oauth2/authorize?a[b]=c&&&==',
  '/.git/config',
  '/.env',
  '/%c0%ae%c0%ae/',
]

for (const path of tricks)
  test(`the path ${path.slice(0, 40)} leads nowhere`, async t => {
    for (const accept of ['text/html', 'application/json']) {
      const answer = await sendRaw(server.issuer, [head(`GET ${path} HTTP/1.1`, `Host: ${host()}`, `Accept: ${accept}`)])
      t.true(answer.status >= 400 && answer.status < 500, `${answer.status}`)
      t.is(answer.headers.location, undefined)
      t.false(answer.body.includes('node_modules') || answer.body.includes('"dependencies"'))
    }
  })

test('a request line in absolute form is served for our own origin alone', async t => {
  const other = await startServer()
  t.teardown(() => other.close())
  const own = new URL(other.issuer).host
  const ask = (target: string) => sendRaw(other.issuer, [head(`GET ${target}/.well-known/openid-configuration HTTP/1.1`, `Host: ${own}`)])
  for (const target of ['http://evil.example', `http://localhost.evil.example`, `http://evil@${own}`, `https://${own}`, `ftp://${own}`]) {
    const answer = await ask(target)
    t.is(answer.status, 421, target)
    t.false(answer.body.includes('evil'))
  }
  for (const target of [`http://${own}`, `HTTP://${own.toUpperCase()}`, '']) {
    const answer = await ask(target)
    t.is(answer.status, 200, target)
    t.is(JSON.parse(answer.body).token_endpoint, `${other.issuer}/oauth2/token`)
  }
})

test('requests that two servers would read differently are refused', async t => {
  const post = (...lines: string[]) => sendRaw(server.issuer, [head('POST /oauth2/token HTTP/1.1', `Host: ${host()}`, ...lines), '0\r\n\r\n'], 2000)
  for (const lines of [
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Content-Length: 5', 'Content-Length: 6'],
    ['Content-Length: -1'],
    ['Content-Length: 0x5'],
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding : chunked'],
    ['Bad Header: x'],
  ])
    t.is((await post(...lines)).status, 400, lines.join())
})
