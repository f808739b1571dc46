// Strange text that the protocol allows in its parameters is carried through whole: sign-in, code, tokens, refresh and logout.
import { createHash } from 'node:crypto'
import test from 'ava'
import { basic, type Calls, createCalls } from '../support/calls.ts'
import { createPerson } from '../support/person.ts'
import { authorizationQuery, codeOf, lenient, prepareTrack, type Track } from '../support/race.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let calls: Calls
let track: Track
const failures: string[] = []
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
  track = await prepareTrack({ services: server.services, calls, issuer: server.issuer })
  server.app.protocol.engine.current().on('server_error', (ctx, error) => failures.push(`${ctx.path}: ${error.stack}`))
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const strange = ['a\0b', '\u202e💩', '"\'<>&;', '\\u0000', '\t\r\n', '__proto__', 'constructor', '%00', '<%= x %>', 'x'.repeat(3000)]
const claims = [
  '{"userinfo":{"\\u0000":null}}',
  '{"userinfo":{"\\ud800":null},"id_token":{"email":{"value":"\\ud800"}}}',
  '{"userinfo":{"__proto__":null,"constructor":null},"__proto__":{"polluted":true}}',
  '{"id_token":{"sub":{"value":"\\u0000"}}}',
  '{"id_token":{"acr":{"essential":true,"values":["\\u0000"]}}}',
]
const requests: Record<string, string>[] = [
  ...['state', 'nonce', 'login_hint', 'ui_locales', 'claims_locales', 'acr_values', 'unknown'].flatMap(name => strange.map(text => ({ [name]: text }))),
  ...claims.map(text => ({ claims: text })),
]
const verifier = 'v'.repeat(43)

const form = (changes: Record<string, string>) => ({ ...Object.fromEntries(authorizationQuery(lenient, verifier)), ...changes })

test.serial('a silent sign-in with strange parameters is refused or carried through to refreshed tokens', async t => {
  let carried = 0
  for (const changes of requests) {
    const told = JSON.stringify(changes).slice(0, 120)
    const reply = await calls.post('/oauth2/authorize', form(changes), { cookie: track.cookie })
    t.true(reply.status < 500, `${told}: ${reply.status} ${reply.body.slice(0, 200)}`)
    const code = codeOf(reply)
    if (code === undefined) continue
    if (changes.state !== undefined) t.is(new URL(String(reply.headers.location)).searchParams.get('state'), changes.state)
    const tokens = await track.redeem(lenient, { code, verifier })
    t.is(tokens.status, 200, `${told}: ${tokens.body}`)
    if (changes.nonce !== undefined)
      t.is(JSON.parse(Buffer.from(String(tokens.json.id_token).split('.')[1] ?? '', 'base64url').toString()).nonce, changes.nonce)
    t.is((await calls.call('/oauth2/userinfo', { headers: { authorization: `Bearer ${tokens.json.access_token}` } })).status, 200, told)
    t.is((await track.refresh(lenient, String(tokens.json.refresh_token))).status, 200, told)
    carried += 1
  }
  t.true(carried > 40, `${carried} were carried through`)
  t.deepEqual(failures, [])
})

test.serial('a sign-in page with strange parameters is shown, or the request refused', async t => {
  for (const changes of requests) {
    const person = createPerson()
    const { prompt: _prompt, ...plain } = form(changes)
    const answer = await person.follow(await person.post(new URL('/oauth2/authorize', server.issuer), plain), lenient.redirectUri)
    t.true(answer.status === 200 || answer.status === 303 || answer.status === 400, `${JSON.stringify(changes).slice(0, 120)}: ${answer.status}`)
    t.notRegex(answer.body, /"'<>/)
  }
})

test.serial('a pushed request with strange parameters is pushed and carried through, or refused', async t => {
  for (const changes of requests) {
    const pushed = await calls.post('/oauth2/par', form(changes), { authorization: basic(lenient) })
    t.true(pushed.status === 201 || pushed.status === 400, `${JSON.stringify(changes).slice(0, 120)}: ${pushed.status} ${pushed.body}`)
    if (pushed.status !== 201) continue
    const query = new URLSearchParams({ client_id: lenient.id, request_uri: String(pushed.json.request_uri) })
    t.true((await calls.call(`/oauth2/authorize?${query}`, { headers: { cookie: track.cookie } })).status < 500)
  }
})

test.serial('a logout with strange parameters is asked about or refused, and signs out nobody unasked', async t => {
  for (const text of strange)
    for (const name of ['state', 'logout_hint', 'ui_locales', 'client_id', 'post_logout_redirect_uri', 'id_token_hint'])
      for (const cookie of [undefined, track.cookie]) {
        const fields = { client_id: lenient.id, post_logout_redirect_uri: 'http://localhost:4000/', [name]: text }
        const reply = await calls.post('/oauth2/logout', fields, cookie ? { cookie } : {})
        t.true(reply.status < 500, `${JSON.stringify({ [name]: text })}: ${reply.status} ${reply.body}`)
      }
  t.truthy(codeOf(await calls.post('/oauth2/authorize', form({}), { cookie: track.cookie })))
})

test.serial('a code challenge or verifier of strange text is refused', async t => {
  for (const text of [...strange, '', 'v'.repeat(42), 'v'.repeat(129)]) {
    const asked = await calls.post('/oauth2/authorize', form({ code_challenge: text }), { cookie: track.cookie })
    t.is(codeOf(asked), undefined, JSON.stringify(text))
    const made = await calls.post('/oauth2/authorize', form({ code_challenge: createHash('sha256').update(text).digest('base64url') }), {
      cookie: track.cookie,
    })
    const redeemed = await track.redeem(lenient, { code: codeOf(made) ?? '', verifier: text })
    t.true(['invalid_grant', 'invalid_request'].includes(String(redeemed.json.error)), JSON.stringify(text))
  }
})
