// What every answer carries: the headers that keep browsers safe, the id of the request, and cookies that scripts cannot read.
import { once } from 'node:events'
import { get, type IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { answerAtOnce, bearHeaders } from '../../src/platform/http/headers.ts'
import { createListener } from '../../src/tls.ts'
import { basic, type Calls, createCalls, portal, type Reply, service } from '../support/calls.ts'
import { openTestDatabase } from '../support/database.ts'
import { createPerson } from '../support/person.ts'
import { head, sendRaw } from '../support/raw.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

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

const safe = ['content-security-policy', 'referrer-policy', 'x-content-type-options', 'x-frame-options']
const html = { accept: 'text/html' }
const answers: Readonly<Record<string, () => Promise<Reply>>> = {
  discovery: () => calls.call('/.well-known/openid-configuration'),
  'the keys': () => calls.call('/oauth2/jwks'),
  'a token': () => calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service) }),
  'a refused token': () => calls.post('/oauth2/token', { grant_type: 'nonsense' }, { authorization: basic(service) }),
  'an introspection': () => calls.post('/oauth2/introspect', { token: 'x' }, { authorization: basic(portal) }),
  'a refused userinfo': () => calls.call('/oauth2/userinfo', { headers: { authorization: 'Bearer x' } }),
  'the health': () => calls.call('/api/health'),
  'the metrics': () => calls.call('/metrics'),
  'a probe': () => calls.call('/readyz'),
  'a missing operation': () => calls.call('/api/nothing'),
  'a missing page': () => calls.call('/nothing', { headers: html }),
  'a refused host': () => calls.call('/device', { headers: { ...html, host: 'evil.example' } }),
  'a refused body': () => calls.call('/oauth2/token', { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: 'x' }),
  'the device page': () => calls.call('/device', { headers: html }),
  'the logout page': () => calls.call('/oauth2/logout', { headers: html }),
  'an error page': () => calls.call('/oauth2/authorize', { headers: html }),
  'an expired sign-in': () => calls.call('/interaction/nothing', { headers: html }),
  'a redirect': () =>
    calls.call(`/oauth2/authorize?${new URLSearchParams({ client_id: portal.id, redirect_uri: portal.redirectUri, response_type: 'code', prompt: 'none' })}`),
}

for (const [name, ask] of Object.entries(answers))
  test(`${name} carries the security headers and a request id`, async t => {
    const { headers } = await ask()
    t.is(headers['x-content-type-options'], 'nosniff')
    t.is(headers['x-frame-options'], 'DENY')
    t.is(headers['referrer-policy'], 'no-referrer')
    t.regex(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
    t.regex(String(headers['x-request-id']), /^[A-Za-z0-9_.-]{8,128}$/)
    t.is(headers['x-powered-by'], undefined)
    t.is(headers.server, undefined)
  })

for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oauth2/jwks'])
  test(`${path} has the same headers from its buffer as when it was made`, async t => {
    const { etag } = (await calls.call(path)).headers
    const conditions: readonly Record<string, string>[] = [{}, { 'if-none-match': String(etag) }]
    const asks = conditions.flatMap(headers => (['GET', 'HEAD'] as const).map(method => ({ method, headers })))
    for (const asked of asks) {
      // Whatever names its own request goes the long way.
      const made = await calls.call(path, { ...asked, headers: { ...asked.headers, 'x-request-id': 'the-long-way' } })
      const kept = await calls.call(path, asked)
      const told = ({ headers: { 'x-request-id': _id, date: _date, ...headers } }: Reply) => headers
      t.is(made.headers['x-request-id'], 'the-long-way')
      t.is(kept.status, made.status)
      t.deepEqual(told(kept), told(made))
      t.is(kept.body, made.body)
    }
  })

test('a body too large is refused where documents are kept too', async t => {
  for (const path of ['/.well-known/openid-configuration', '/oauth2/jwks']) {
    t.is((await calls.call(path)).status, 200)
    const large = head(`GET ${path} HTTP/1.1`, `Host: ${new URL(server.issuer).host}`, 'Content-Length: 200000')
    t.is((await sendRaw(server.issuer, [large])).status, 413, path)
  }
})

for (const query of ['client_id=nope', 'client_id=nope&response_type=code&state=x'])
  test(`HEAD tells the length of the page that GET gives (RFC 9110 §8.6): ${query}`, async t => {
    const [read, asked] = await Promise.all(
      (['GET', 'HEAD'] as const).map(method => calls.call(`/oauth2/authorize?${query}`, { method, headers: { ...html, 'x-request-id': 'the-same-one' } })),
    )
    t.is(asked?.headers['content-length'], read?.headers['content-length'])
    t.truthy(asked?.headers['content-length'])
  })

test('an answer in one go bears each header once, and those too that were put on it before', async t => {
  const listener: RequestListener = (_request, response) => {
    response.setHeader('Connection', 'close')
    answerAtOnce(response, { status: 200, headers: ['ETag', '"x"'], body: 'whole' })
  }
  const { raw, text } = await answered(t, listener)
  const names = raw.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase())
  t.deepEqual(
    safe.filter(name => names.filter(other => other === name).length !== 1),
    [],
  )
  t.is(raw[raw.indexOf('Connection') + 1], 'close')
  t.is(text, 'whole')
})

test('headers that were narrowed stay so, and those that were taken off are put on', async t => {
  const { raw } = await answered(t, (_request, response) => {
    bearHeaders(response)
    response.setHeader('Content-Security-Policy', 'sandbox')
    response.removeHeader('X-Frame-Options')
    response.end()
  })
  t.is(raw[raw.indexOf('Content-Security-Policy') + 1], 'sandbox')
  t.is(raw[raw.indexOf('X-Frame-Options') + 1], 'DENY')
})

test('an answer that could not bear the headers is not given', async t => {
  const plain = new ServerResponse({ method: 'GET' } as IncomingMessage)
  for (const give of [() => bearHeaders(plain), () => answerAtOnce(plain, { status: 200, headers: [] })]) t.throws(give, { instanceOf: TypeError })
})

const answered = async (t: ExecutionContext, listener: RequestListener) => {
  const listening = createListener({ tls: {}, issuer: 'http://id.example' }, { listener, log: server.resources.log })
  t.teardown(() => listening.close())
  await once(listening.listen(0, 'localhost'), 'listening')
  const [answer] = (await once(get({ host: 'localhost', port: (listening.address() as AddressInfo).port }), 'response')) as [IncomingMessage]
  return { raw: answer.rawHeaders, text: await text(answer) }
}

const refusals: Readonly<Record<string, readonly [number, string]>> = {
  'bytes that are no HTTP': [400, 'nonsense\r\n\r\n'],
  'a header that is too large': [431, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
  'a request without a host': [400, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
  'an expectation of nobody': [417, head('GET /livez HTTP/1.1', 'Host: x', 'Expect: the-unexpected')],
  'a request that is fine': [200, head('GET /livez HTTP/1.1', 'Host: x')],
}

test('what is refused before the app sees it carries the security headers too, and HSTS where the issuer is https', async t => {
  const secure = createListener({ tls: {}, issuer: 'https://id.example' }, { listener: (_request, response) => response.end(), log: server.resources.log })
  t.teardown(() => secure.close())
  await once(secure.listen(0, 'localhost'), 'listening')
  const { port } = secure.address() as AddressInfo
  for (const [origin, expected] of [
    [server.issuer, safe],
    [`http://localhost:${port}`, [...safe, 'strict-transport-security']],
  ] as const)
    for (const [name, [status, bytes]] of Object.entries(refusals)) {
      const answer = await sendRaw(origin, [bytes])
      t.is(answer.status, status, name)
      t.deepEqual(
        [...safe, 'strict-transport-security'].filter(header => answer.headers[header]),
        [...expected],
        `${name} ${origin}`,
      )
    }
})

const pages = ['a missing page', 'the device page', 'an error page', 'an expired sign-in', 'a refused host'] as const

for (const name of pages)
  test(`${name} has a strict policy for its content and is kept by nobody`, async t => {
    const [first, second] = [await answers[name]?.(), await answers[name]?.()]
    const policy = String(first?.headers['content-security-policy'])
    t.is(first?.headers['cache-control'], 'no-store')
    t.regex(String(first?.headers['content-type']), /^text\/html; charset=utf-8$/)
    t.notRegex(policy, /unsafe|form-action|\*/)
    t.regex(policy, /script-src 'self' 'nonce-[\w+/=]{22,}'/)
    t.regex(policy, /base-uri 'none'/)
    t.not(policy, second?.headers['content-security-policy'])
    t.notRegex(first?.body ?? '', /<script>|<script [^>]*src="(?!\/)|\son\w+=|javascript:/i)
  })

test('the page that sends itself on allows its own script by its hash and nothing else', async t => {
  const reply = await answers['the logout page']?.()
  t.is(reply?.headers['cache-control'], 'no-store')
  t.regex(String(reply?.headers['content-security-policy']), /script-src 'self' 'sha256-[\w+/=]{44}'/)
  t.notRegex(String(reply?.headers['content-security-policy']), /unsafe|form-action|\*/)
})

test('what the token endpoint and its neighbours answer is kept by nobody', async t => {
  for (const name of ['a token', 'a refused token', 'an introspection', 'a refused userinfo', 'the health']) {
    const reply = await answers[name]?.()
    t.is(reply?.headers['cache-control'], 'no-store', name)
  }
})

test('documents are kept for as long as keys are published before they sign', async t => {
  for (const name of ['discovery', 'the keys']) t.is((await answers[name]?.())?.headers['cache-control'], 'public, max-age=300')
})

test('a well-formed request id is taken and sent back; anything else is replaced', async t => {
  const told = async (id: string) => (await calls.call('/api/health', { headers: { 'x-request-id': id } })).headers['x-request-id']
  t.is(await told('a1b2c3d4-E5_f.6'), 'a1b2c3d4-E5_f.6')
  for (const bad of [
    'short',
    'x'.repeat(129),
    'with space here',
    '<script>alert(1)</script>',
    'a;b=c;d=e;f',
    '../../../etc',
    '\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9',
  ])
    t.regex(String(await told(bad)), /^[0-9a-f-]{36}$/, bad)
  const health = await calls.call('/api/health', { headers: { 'x-request-id': 'my-request-1' } })
  t.is(health.json.request_id, 'my-request-1')
})

test('every form of a sign-in is answered with 303 and every cookie is out of reach of scripts and other sites', async t => {
  const person = createPerson()
  const { request } = await createRelyingParty(server.issuer)
  const seen: string[] = []
  const watched = async <Answer extends { headers: Headers }>(answer: Promise<Answer>) => {
    seen.push(...(await answer).headers.getSetCookie())
    return answer
  }
  const begun = await watched(person.get((await request()).url))
  t.is(begun.status, 303)
  const identifier = await person.follow(begun, redirectUri)
  const named = await watched(person.submit(identifier, { username: bob.email }))
  t.is(named.status, 303)
  const proven = await watched(person.submit(await person.follow(named, redirectUri), { password: bob.password }))
  t.is(proven.status, 303)
  const resumed = await watched(person.get(proven.location ?? server.issuer))
  t.is(resumed.status, 303)
  t.true(seen.length >= 5)
  for (const cookie of seen) {
    t.regex(cookie, /;\s*httponly/i)
    t.regex(cookie, /;\s*samesite=lax/i)
    t.notRegex(cookie, /;\s*domain=/i)
  }
})

test('the probes and the health have the shapes that machines expect', async t => {
  const [live, ready, health] = await Promise.all([calls.call('/livez'), calls.call('/readyz'), calls.call('/api/health')])
  t.deepEqual([live.status, live.body], [200, 'ok\n'])
  t.deepEqual([ready.status, ready.body], [200, 'ready\n'])
  t.is(health.status, 200)
  t.like(health.json, { version: '1.0', success: true, code: 200, error: null, meta: null, data: { status: 'ok', database: 'up' } })
  const probed = await calls.call('/livez', { headers: { host: '10.0.0.1:3000' } })
  t.is(probed.status, 200)
})

test('a process whose clock is not that of the database is not ready, and its health says why', async t => {
  let offset = 29_000
  const skewed = await startServer({ now: () => new Date(Date.now() + offset) })
  t.teardown(skewed.close)
  const told = async () => {
    const [ready, health] = await Promise.all([fetch(`${skewed.issuer}/readyz`), fetch(`${skewed.issuer}/api/health`)])
    const { success, code, data, error } = (await health.json()) as {
      success: boolean
      code: number
      data: { database: string }
      error: { type: string } | null
    }
    return [ready.status, health.status, code, success, data.database, error?.type].join()
  }
  for (const [next, expected] of [
    [29_000, '200,200,200,true,up,'],
    [91_000, '503,503,503,false,clock_skew,SERVICE_UNAVAILABLE'],
    [-29_000, '200,200,200,true,up,'],
    [-91_000, '503,503,503,false,clock_skew,SERVICE_UNAVAILABLE'],
  ] as const) {
    offset = next
    await t.notThrowsAsync(until(async () => (await told()) === expected, 20))
  }
})

test('two hundred who probe a process at once ask its database once', async t => {
  let come = 0
  const asked: string[] = []
  const answered = Promise.withResolvers<void>()
  const database = await openTestDatabase()
  const runAside: typeof database.runAside = async (statement, values) => {
    asked.push(statement.name)
    await answered.promise
    return await database.runAside(statement, values)
  }
  const probed = await startServer({
    database: { ...database, runAside },
    through: app => (request, response) => {
      app(request, response)
      come += 1
    },
  })
  t.teardown(probed.close)
  const probes = [fetch(`${probed.issuer}/api/health`)]
  await until(() => asked.length > 0)
  probes.push(...Array.from({ length: 200 }, () => fetch(`${probed.issuer}/readyz`)))
  await until(() => come === probes.length)
  answered.resolve()
  await Promise.all(probes)
  t.deepEqual(asked, ['clock'])
})
