// What every answer carries: the headers that keep browsers safe, the id of the request, and cookies that scripts cannot read.
import test from 'ava'
import { basic, type Calls, createCalls, portal, type Reply, service } from '../support/calls.ts'
import { createPerson } from '../support/person.ts'
import { bob, createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

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

const html = { accept: 'text/html' }
const answers: Readonly<Record<string, () => Promise<Reply>>> = {
  discovery: () => calls.call('/.well-known/openid-configuration'),
  'the keys': () => calls.call('/oauth2/jwks'),
  'a token': () => calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service) }),
  'a refused token': () => calls.post('/oauth2/token', { grant_type: 'nonsense' }, { authorization: basic(service) }),
  'an introspection': () => calls.post('/oauth2/introspect', { token: 'x' }, { authorization: basic(portal) }),
  'a refused userinfo': () => calls.call('/oauth2/userinfo', { headers: { authorization: 'Bearer x' } }),
  'the health': () => calls.call('/api/health'),
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
