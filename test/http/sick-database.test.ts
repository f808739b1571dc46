// What a request is told when the database is too slow for it, or takes no writes: never what is not so, and when to come again.
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { currentContext } from '../../src/platform/context.ts'
import { makeAdmin, startApi, type TestApi } from '../support/api.ts'
import { basic } from '../support/calls.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { openTestDatabase } from '../support/database.ts'
import { demoWith, lightHashing } from '../support/demo-filling.ts'
import { redirectUri } from '../support/relying-party.ts'

const timeoutSeconds = 60

let api: TestApi
let admin: string
let client: TestClient
let jumpedMilliseconds = 0
let jump = 0
let jumpsAfter: string | undefined
const now = performance.now.bind(performance)
test.before(async () => {
  Object.assign(performance, { now: () => now() + jumpedMilliseconds })
  const database = await openTestDatabase(demoWith(lightHashing))
  const run: typeof database.run = async (...given) => {
    const rows = await database.run(...(given as Parameters<typeof database.run>))
    // Not those of tasks, which may come before the request has begun.
    if (currentContext()?.requestId !== undefined && (jumpsAfter === undefined || jumpsAfter === given[0].name)) jumpedMilliseconds = jump
    return rows as never
  }
  api = await startApi({ REQUEST_TIMEOUT_SECONDS: String(timeoutSeconds), API_REQUESTS_PER_MINUTE: '5000' }, { database: { ...database, run } })
  admin = await makeAdmin(api)
  client = await makeClient(api.server)
})
test.after.always(() => api?.close())

/** Has the first statement of a request take so long, or the one of a name. */
const whileLate = async <Result>(seconds: number, work: () => Promise<Result>, after?: string): Promise<Result> => {
  jump = seconds * 1000
  jumpsAfter = after
  try {
    return await work()
  } finally {
    jump = 0
    jumpedMilliseconds = 0
  }
}

const asClient = (path: string, parameters: Record<string, string>) =>
  api.calls.post(path, parameters, { authorization: basic({ id: client.clientId, secret: client.secret }) })
const signIn = () => client.signIn({ parameters: { scope: 'openid offline_access', prompt: 'consent' } })

test.serial('a change that there is no time for is told to come again, is not there, and is made when it is asked for again', async t => {
  const email = `${randomUUID()}@people.example`
  const create = () => api.ask('POST /users', { token: admin, body: { email, full_name: 'Ida' }, headers: { 'idempotency-key': email } })
  const late = await whileLate(timeoutSeconds, create)
  t.like(late, { status: 503, error: { type: 'SERVICE_UNAVAILABLE' } })
  t.truthy(late.headers['retry-after'])
  t.is((await api.ask(`GET /users?email=${encodeURIComponent(email)}`, { token: admin })).meta?.total, 0)
  t.is((await create()).status, 201)
})

test.serial('a request that is slow but in time is answered', async t => {
  t.is((await whileLate(timeoutSeconds / 2, () => api.ask('GET /users', { token: admin }))).status, 200)
})

test.serial('a refresh token that there was no time for is as good as before', async t => {
  const { refresh_token: token = '' } = (await signIn()).tokens
  const refresh = () => asClient('/oauth2/token', { grant_type: 'refresh_token', refresh_token: token })
  const late = await whileLate(timeoutSeconds, refresh)
  t.like(late, { status: 503, json: { error: 'temporarily_unavailable' } })
  t.truthy(late.headers['retry-after'])
  t.is((await refresh()).status, 200)
})

test.serial('a code that was used up in time is answered with tokens, however late', async t => {
  const { person } = await signIn()
  const { url, verifier } = await client.request({ prompt: 'none' })
  const back = await person.follow(await person.get(url), redirectUri)
  const code = back.location?.searchParams.get('code') ?? ''
  const redeem = () => asClient('/oauth2/token', { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier })
  t.is((await whileLate(timeoutSeconds, redeem, 'artifact-consume')).status, 200)
})

test.serial('a client that is granted something for the first time when there is no time left is told to come again', async t => {
  const { person } = await signIn()
  const other = await makeClient(api.server)
  const { url } = await other.request({ prompt: 'none' })
  const authorize = async () => (await person.follow(await person.get(url), redirectUri)).location?.searchParams
  t.is((await whileLate(timeoutSeconds, authorize, 'artifact-grant'))?.get('error'), 'temporarily_unavailable')
  t.truthy((await authorize())?.get('code'))
})

test.serial('a refresh token that was redeemed in time is answered with tokens, however late', async t => {
  const { refresh_token: token = '' } = (await signIn()).tokens
  const refresh = () => asClient('/oauth2/token', { grant_type: 'refresh_token', refresh_token: token })
  t.is((await whileLate(timeoutSeconds, refresh, 'refresh-token-rotate')).status, 200)
})

const onEmbedded = process.env.DATABASE_URL ? test.serial.skip : test.serial
onEmbedded('what only reads goes on while the database takes no writes: the API, introspection, userinfo, key sets and the pages of an account', async t => {
  const { person, tokens } = await signIn()
  const { access_token: token } = tokens
  const page = async (path: string) => person.follow(await person.get(`${api.server.issuer}${path}`), 'nowhere')
  t.is((await page('/account')).status, 200)
  // Both are to be noted as used, which cannot be now.
  const made = await api.ask('POST /api-keys', { token: admin, body: { name: 'Reads', permissions: ['users:read'] } })
  await api.server.resources.database.pool.query("UPDATE sessions SET last_seen_at = now() - interval '1 hour'")
  const setReadOnly = (word: 'on' | 'off') => api.server.resources.database.pool.query(`SET default_transaction_read_only = ${word}`)
  await setReadOnly('on')
  try {
    for (const path of ['/users', '/users/me', '/clients', '/audit-logs']) t.is((await api.ask(`GET ${path}`, { token: admin })).status, 200, path)
    t.is((await api.ask('GET /users', { token: made.data.key })).status, 200, made.message)
    t.like(await asClient('/oauth2/introspect', { token }), { status: 200, json: { active: true } })
    const read = (path: string, authorization: string) => api.calls.call(path, { headers: { authorization } })
    t.is((await read('/oauth2/userinfo', `Bearer ${token}`)).status, 200)
    t.is((await read('/oauth2/jwks', '')).status, 200)
    for (const path of ['/account', '/account/security', '/account/sessions']) t.is((await page(path)).status, 200, path)
    const write = await api.ask('POST /users', { token: admin, body: { email: `${randomUUID()}@people.example`, full_name: 'Ida' } })
    t.is(write.status, 503)
    t.truthy(write.headers['retry-after'])
  } finally {
    await setReadOnly('off')
  }
  t.is((await api.ask('POST /users', { token: admin, body: { email: `${randomUUID()}@people.example`, full_name: 'Ida' } })).status, 201)
})
