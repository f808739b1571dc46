// Requests that are wrong, and bodies that are too large, packed, of another kind or in pieces: the right refusal in the shape of its
// surface, never astray or into a failure.

import { gzipSync } from 'node:zlib'
import test from 'ava'
import { basic, type Calls, createCalls, portal, type Reply, service } from '../support/calls.ts'
import { createPerson } from '../support/person.ts'
import { head, sendRaw } from '../support/raw.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { authorization, protocolSurfaces, spoil } from '../support/surfaces.ts'

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

const isPage = ({ headers }: Reply) => String(headers['content-type']).startsWith('text/html')
const html = { accept: 'text/html' }
const { request: _request, request_uri: _requestUri, id_token_hint: _hint, registration: _registration, unknown: _unknown, ...sound } = authorization
const authorize = (changes: Record<string, string>) => calls.call(`/oauth2/authorize?${new URLSearchParams({ ...sound, ...changes })}`, { headers: html })

const foreignUris = [
  'https://evil.example/cb',
  'http://localhost:4000/callback/',
  'http://localhost:4000/callback?x=y',
  'http://localhost:4000/callback#x',
  'http://localhost:4000/Callback',
  'http://localhost:4000/callback/../callback',
  'http://localhost:4000/%63allback',
  'http://LOCALHOST:4000/callback',
  'http://localhost.:4000/callback',
  'http://localhost:4001/callback',
  'https://localhost:4000/callback',
  'http://localhost:4000@evil.example/callback',
  'http://evil.example\\@localhost:4000/callback',
  'http://localhost:4000.evil.example/callback',
  '//localhost:4000/callback',
  '/callback',
  'javascript:alert(1)',
  'http://localhost:4000/callback\r\nSet-Cookie: a=b',
  ' http://localhost:4000/callback',
  '',
]

for (const redirectUri of foreignUris)
  test(`authorization never leads to ${JSON.stringify(redirectUri)}`, async t => {
    const reply = await authorize({ redirect_uri: redirectUri })
    t.is(reply.status, 400)
    t.is(reply.headers.location, undefined)
    t.true(isPage(reply))
  })

for (const clientId of ['nobody', '', '__proto__', 'constructor', 'toString', 'x'.repeat(10_000), 'a\u0001b', '💩', 'https://evil.example/client'])
  test(`authorization for the unknown client ${JSON.stringify(clientId.slice(0, 40))} ends on a page`, async t => {
    const reply = await authorize({ client_id: clientId })
    t.is(reply.status, 400)
    t.is(reply.headers.location, undefined)
    t.true(isPage(reply))
  })

test('an unknown client and a wrong secret are refused alike at the token endpoint', async t => {
  const ask = (id: string, secret: string) => calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic({ id, secret }) })
  const [unknown, wrong] = await Promise.all([ask('nobody', service.secret), ask(service.id, 'wrong')])
  t.is(unknown.status, 401)
  t.is(wrong.status, 401)
  t.is(unknown.body, wrong.body)
  t.is(unknown.json.error, 'invalid_client')
})

for (const surface of protocolSurfaces)
  test(`a parameter given twice is refused by ${surface.name}`, async t => {
    for (const [name, value] of Object.entries(surface.fields)) {
      const twice = `${spoil(surface.fields, name, encodeURIComponent(value))}&${encodeURIComponent(name)}=${encodeURIComponent(value)}`
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...surface.headers }
      const reply = surface.isQuery
        ? await calls.call(`${surface.path}?${twice}`, { headers: surface.headers })
        : await calls.call(surface.path, { method: 'POST', headers, body: twice })
      // RFC 8707 §2 lets `resource` stand more than once; what is not known is not read.
      const isIgnored = name === 'unknown' || name === 'registration' || name === 'resource'
      t.true(reply.status < 500, `${name}: ${reply.status} ${reply.body}`)
      if (!isIgnored) t.false(reply.status === 200 && surface.name !== 'device query', `${name} twice was taken: ${reply.body}`)
      t.false(String(reply.headers.location ?? '').includes('code='), name)
    }
  })

const malformedAuthorizations = [
  'Basic',
  'Basic ',
  'Basic !!!!',
  `Basic ${Buffer.from('nocolon').toString('base64')}`,
  `Basic ${Buffer.from(':').toString('base64')}`,
  `Basic ${Buffer.from(`${service.id}:%zz`).toString('base64')}`,
  `Basic ${Buffer.from(`%00:${service.secret}`).toString('base64')}`,
  `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`,
  'Bearer',
  'Bearer a b c',
  `Bearer ${'x'.repeat(8000)}`,
  'Bearer __proto__',
  'DPoP x',
  'Negotiate x',
  'undefined',
]

for (const header of malformedAuthorizations)
  test(`the Authorization header ${JSON.stringify(header.slice(0, 40))} is refused everywhere with a 4xx`, async t => {
    const headers = { authorization: header }
    const replies = await Promise.all([
      calls.post('/oauth2/token', { grant_type: 'client_credentials' }, headers),
      calls.post('/oauth2/introspect', { token: 'x' }, headers),
      calls.post('/oauth2/revoke', { token: 'x' }, headers),
      calls.post('/oauth2/par', { client_id: portal.id }, headers),
      calls.call('/oauth2/userinfo', { headers }),
      calls.call('/oauth2/register', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }),
      calls.call('/oauth2/register/acme-portal-001', { headers }),
    ])
    for (const reply of replies) {
      t.true([400, 401].includes(reply.status), `${reply.status} ${reply.body}`)
      t.is(typeof reply.json.error, 'string', reply.body)
    }
  })

const malformedProofs = ['', 'x', 'a.b.c', '{}', `${Buffer.from('{"typ":"dpop+jwt","alg":"none","jwk":{}}').toString('base64url')}.e30.`, 'x'.repeat(7000)]

test('a malformed DPoP proof is refused as such', async t => {
  for (const dpop of malformedProofs) {
    const reply = await calls.post('/oauth2/token', { grant_type: 'client_credentials' }, { authorization: basic(service), dpop })
    t.true(reply.status === 400 || dpop === '', `${dpop.slice(0, 20)}: ${reply.status} ${reply.body}`)
    if (dpop) t.is(reply.json.error, 'invalid_dpop_proof')
  }
})

const malformedCookies = [
  'session=',
  'session=x; session.sig=y',
  'session=%00; session.sig=%00',
  'session=__proto__; __proto__=x; constructor=y',
  ';;;===;;;',
  'interaction=x; interaction.sig=\u00ff',
  `session=${'x'.repeat(8000)}`,
  'session="quoted"; session.sig=AAAA',
]

test('malformed cookies are no session and no failure', async t => {
  for (const cookie of malformedCookies)
    for (const path of [
      `/oauth2/authorize?${new URLSearchParams({ ...sound, prompt: 'none' })}`,
      '/interaction/x',
      '/interaction/x/password',
      '/device',
      '/oauth2/logout',
      '/oauth2/authorize/x',
    ]) {
      const reply = await calls.call(path, { headers: { cookie, ...html } })
      t.true(reply.status < 500, `${cookie} at ${path}: ${reply.status}`)
      t.false(String(reply.headers.location ?? '').includes('code='))
    }
})

test('a body with a prototype in it changes no prototype', async t => {
  await calls.post(
    '/oauth2/token',
    { '__proto__[polluted]': 'yes', 'constructor[prototype][polluted]': 'yes', grant_type: '__proto__' },
    { authorization: basic(service) },
  )
  await calls.call(
    `/oauth2/authorize?__proto__[polluted]=yes&constructor.prototype.polluted=yes&claims=${encodeURIComponent('{"__proto__":{"polluted":true}}')}`,
  )
  t.false('polluted' in {})
})

const formType = 'application/x-www-form-urlencoded'
const posts = [
  '/oauth2/token',
  '/oauth2/par',
  '/oauth2/introspect',
  '/oauth2/revoke',
  '/oauth2/device_authorization',
  '/oauth2/authorize',
  '/oauth2/logout',
  '/device',
]
const large = `grant_type=client_credentials&scope=${'x'.repeat(400_000)}`

const lines = (path: string, ...more: string[]) =>
  head(
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(server.issuer).host}`,
    `Authorization: ${basic(service)}`,
    `Content-Type: ${formType}`,
    'Sec-Fetch-Site: same-origin',
    ...more,
  )

for (const path of posts) {
  test(`a body of ${path} that says it is too large is refused with 413 unread`, async t => {
    const answer = await sendRaw(server.issuer, [lines(path, 'Content-Length: 50000000')])
    t.is(answer.status, 413)
    t.is(answer.headers.connection, 'close')
  })

  test(`a body of ${path} in pieces that grow too large is refused with 413`, async t => {
    for (const length of [6, 10, 40]) {
      const pieces = Array.from({ length }, () => `2710\r\n${'x'.repeat(10_000)}\r\n`)
      const answer = await sendRaw(server.issuer, [lines(path, 'Transfer-Encoding: chunked'), ...pieces, '0\r\n\r\n'])
      t.is(answer.status, 413, `${length} pieces`)
    }
  })

  test(`a body of ${path} that is too large is refused with 413`, async t => {
    const answer = await sendRaw(server.issuer, [lines(path, `Content-Length: ${large.length}`), large])
    t.is(answer.status, 413)
  })

  test(`a packed body of ${path} is refused with 415`, async t => {
    const reply = await calls.call(path, {
      method: 'POST',
      headers: { 'content-type': formType, 'content-encoding': 'gzip', authorization: basic(service) },
      body: gzipSync('grant_type=client_credentials'),
    })
    t.is(reply.status, 415)
  })
}

test('a form in small pieces is read', async t => {
  const form = 'grant_type=client_credentials'
  const answer = await sendRaw(server.issuer, [lines('/oauth2/token', 'Transfer-Encoding: chunked'), `${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n`])
  t.is(answer.status, 200)
})

test('a protocol endpoint refuses every kind of body that is no form, as an OAuth error', async t => {
  for (const type of [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
    'nonsense',
    `${formType}; charset=utf-16`,
    `${formType}; charset=nonsense`,
  ])
    for (const path of ['/oauth2/token', '/oauth2/par', '/oauth2/introspect', '/oauth2/revoke', '/oauth2/device_authorization']) {
      const headers = { 'content-type': type, authorization: basic(portal) }
      const reply = await calls.call(path, { method: 'POST', headers, body: 'grant_type=client_credentials' })
      t.true([400, 401, 415].includes(reply.status), `${path} ${type}: ${reply.status}`)
      t.is(typeof reply.json.error, 'string', `${path} ${type}: ${reply.body}`)
    }
})

test('a registration that is no JSON is refused as an OAuth error', async t => {
  const token = await new (server.app.protocol.engine.current().InitialAccessToken)({}).save()
  for (const body of ['', '{', '[]', 'null', '"text"', '1', '{"redirect_uris":', '\ufeff{}', '[['.repeat(20_000)]) {
    const reply = await calls.call('/oauth2/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    })
    t.is(reply.status, 400, `${body.slice(0, 20)}: ${reply.body}`)
    t.is(typeof reply.json.error, 'string', reply.body)
  }
})

test('a hosted form refuses what is too large with 413 and what is no form with 415, on a page', async t => {
  const person = createPerson()
  const { request } = await createRelyingParty(server.issuer)
  const page = await person.follow(await person.get((await request()).url), redirectUri)
  const action = new URL(`${page.url.pathname}/identifier`, page.url)
  const post = (body: string, type: string) => person.send(action, { method: 'POST', body, headers: { 'content-type': type, origin: server.issuer } })
  const tooLarge = await post(`username=${'x'.repeat(20_000)}`, formType)
  t.is(tooLarge.status, 413)
  t.regex(tooLarge.headers.get('content-type') ?? '', /^text\/html/)
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) t.is((await post('username=bob', type)).status, 415)
  t.is((await post(`username=bob`, `${formType}; charset=nonsense`)).status, 415)
})
