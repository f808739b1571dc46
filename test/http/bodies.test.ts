// Bodies that are too large, packed, of another kind or in pieces: refused before anything is made of them.
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { basic, type Calls, createCalls, portal, service } from '../support/calls.ts'
import { createPerson } from '../support/person.ts'
import { head, sendRaw } from '../support/raw.ts'
import { createRelyingParty, redirectUri } from '../support/relying-party.ts'
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
    const pieces = Array.from({ length: 40 }, () => `2710\r\n${'x'.repeat(10_000)}\r\n`)
    const answer = await sendRaw(server.issuer, [lines(path, 'Transfer-Encoding: chunked'), ...pieces, '0\r\n\r\n'])
    t.is(answer.status, 413)
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
