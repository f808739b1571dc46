// What is refused of connecting a device, by the sections that say so (RFC 8628), and what only one of many may do.
import test from 'ava'
import * as client from 'openid-client'
import { hashOf } from '../../src/platform/secrets.ts'
import { basic, type Calls, createCalls } from '../support/calls.ts'
import { makeClient, refusal, type TestClient } from '../support/clients.ts'
import { type Answer, createPerson, type Person } from '../support/person.ts'
import { redirectUri } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { makeUser } from '../support/users.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
let server: TestServer
let calls: Calls
let device: TestClient
let other: TestClient
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
  device = await makeClient(server, { grantTypes: [grantType, 'refresh_token'] })
  other = await makeClient(server, { grantTypes: [grantType] })
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

const authorizationOf = ({ clientId, secret }: TestClient) => ({ authorization: basic({ id: clientId, secret }) })
const begin = (one = device) => client.initiateDeviceAuthorization(one.configuration, { scope: 'openid' })
const poll = (one: TestClient, { device_code }: { device_code: string }) => client.genericGrantRequest(one.configuration, grantType, { device_code })
const typeCode = async (person: Person, userCode: string, at = server) => person.submit(await person.get(`${at.issuer}/device`), { user_code: userCode })
/** A browser in which somebody is signed in, on the page that asks whether the device is theirs. */
const atQuestion = async (userCode: string, { who, at = server }: { who: { email: string; password: string }; at?: TestServer }) => {
  const portal = await makeClient(at, { redirectUris: [redirectUri] })
  const { person } = await portal.signIn({ who })
  return { person, question: await typeCode(person, userCode, at) }
}
const isDone = ({ body }: Answer) => body.includes('Your device is connected')
const keyOf = ({ device_code }: { device_code: string }) => new Uint8Array(hashOf('poll', `${grantType}\0${device_code}`))

test.serial('§3.1: only who is registered for it begins, and is told what section 3.2 says', async t => {
  const portal = await makeClient(server)
  const rows: readonly (readonly [what: string, one: TestClient, form: Record<string, string>, status: number, error: string])[] = [
    ['a client that may not', portal, { scope: 'openid' }, 400, 'unauthorized_client'],
    ['a wrong secret', { ...device, secret: 'wrong' }, { scope: 'openid' }, 401, 'invalid_client'],
    ['characters that no scope has', device, { scope: '"openid"' }, 400, 'invalid_scope'],
    ['a resource that is not there', device, { scope: 'openid', resource: 'https://nowhere.example/' }, 400, 'invalid_target'],
    ['claims that are no JSON', device, { scope: 'openid', claims: '{' }, 400, 'invalid_request'],
  ]
  for (const [what, one, form, status, error] of rows) {
    const told = await calls.post('/oauth2/device_authorization', form, authorizationOf(one))
    t.deepEqual([told.status, told.json.error], [status, error], what)
  }
  const begun = await begin()
  t.deepEqual(Object.keys(begun).toSorted(), ['device_code', 'expires_in', 'interval', 'user_code', 'verification_uri', 'verification_uri_complete'])
  t.is(begun.interval, 5)
})

test.serial('§3.5: polls are refused by the section’s own codes', async t => {
  const begun = await begin()
  const rows: readonly (readonly [what: string, one: TestClient, form: Record<string, string>, error: string])[] = [
    ['no code', device, {}, 'invalid_request'],
    ['a code that is none', device, { device_code: 'nothing' }, 'invalid_grant'],
    ['another client’s code', other, { device_code: begun.device_code }, 'invalid_grant'],
    ['a user code', device, { device_code: begun.user_code }, 'invalid_grant'],
    ['the right one', device, { device_code: begun.device_code }, 'authorization_pending'],
    ['the right one again at once', device, { device_code: begun.device_code }, 'slow_down'],
  ]
  for (const [what, one, form, error] of rows) {
    const told = await calls.post('/oauth2/token', { grant_type: grantType, ...form }, authorizationOf(one))
    t.deepEqual([told.status, told.json.error], [400, error], what)
  }
})

test.serial('§3.5: the interval grows by five seconds with each poll that comes too early, and who keeps to it is not slowed down', async t => {
  const begun = await begin()
  const { prisma, pool } = server.resources.database
  const interval = async () => (await prisma.oidcPoll.findUnique({ where: { key: keyOf(begun) } }))?.intervalSeconds
  const wait = (seconds: number) =>
    pool.query(`UPDATE oidc_polls SET polled_at = polled_at - make_interval(secs => $2) WHERE key = $1`, [Buffer.from(keyOf(begun)), seconds])
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
  await wait(5)
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
  t.is(await refusal(poll(device, begun)), 'slow_down')
  t.is(await interval(), 10)
  await wait(5)
  t.is(await refusal(poll(device, begun)), 'slow_down')
  t.is(await interval(), 15)
  await wait(15)
  t.is(await refusal(poll(device, begun)), 'authorization_pending')
})

test.serial('§3.5: of polls that come together one is answered and the others are slowed down', async t => {
  const begun = await begin()
  const codes = await Promise.all(Array.from({ length: 10 }, () => refusal(poll(device, begun))))
  t.is(codes.filter(code => code === 'authorization_pending').length, 1)
  t.is(codes.filter(code => code === 'slow_down').length, 9)
})

test.serial('§3.5: an expired code is expired_token, and its user code connects nothing any more', async t => {
  const begun = await begin()
  const { prisma } = server.resources.database
  const key = new Uint8Array(hashOf('DeviceCode', begun.device_code))
  const { payload } = await prisma.oidcArtifact.findUniqueOrThrow({ where: { key } })
  await prisma.oidcArtifact.update({ where: { key }, data: { payload: { ...(payload as object), exp: Math.floor(Date.now() / 1000) - 1 } } })
  await until(async () => (await refusal(poll(device, begun))) === 'expired_token')
  t.false((await typeCode(createPerson(), begun.user_code)).body.includes('name="confirm"'))
})

test.serial('§3.3: of twenty confirmations of one code one goes on, whoever makes them', async t => {
  // A used code is a wrong one, and of those an address has twenty: a server of its own.
  const at = await startServer()
  t.teardown(at.close)
  const own = await makeClient(at, { grantTypes: [grantType, 'refresh_token'] })
  const begun = await begin(own)
  const people = await Promise.all([makeUser(at), makeUser(at)])
  const browsers = await Promise.all(people.map(who => atQuestion(begun.user_code, { who, at })))
  t.true(browsers.every(({ question }) => question.body.includes('name="confirm"')))
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_none, index) => {
      const { person, question } = browsers[index % 2] as (typeof browsers)[number]
      return person.press(question, 'name="confirm"')
    }),
  )
  t.is(answers.filter(isDone).length, 1)
  t.true(answers.every(answer => isDone(answer) || answer.body.includes('name="user_code"') || answer.status === 429))
  t.true(answers.every(({ status }) => status < 500))
  const tokens = await poll(own, begun)
  t.true(people.some(({ id }) => id === tokens.claims()?.sub))
})

test.serial('§3.3: a code that is confirmed and refused at once is one or the other', async t => {
  const begun = await begin()
  const { person, question } = await atQuestion(begun.user_code, { who: await makeUser(server) })
  const answers = await Promise.all(['confirm', 'abort', 'confirm', 'abort'].map(what => person.press(question, `name="${what}"`)))
  const connected = answers.filter(isDone).length
  t.true(connected <= 1)
  const told = await Promise.resolve(poll(device, begun)).then(
    () => 'tokens',
    error => (error instanceof client.ResponseBodyError ? error.error : String(error)),
  )
  t.is(told, connected === 1 ? 'tokens' : 'access_denied')
})

test.serial('§5.4: the question names the client, the code and where the device asked from', async t => {
  const television = await makeClient(server, { name: 'Television 9', grantTypes: [grantType] })
  const begun = await calls.post('/oauth2/device_authorization', { scope: 'openid' }, { ...authorizationOf(television), 'user-agent': 'Television/9.1' })
  const { body } = await typeCode(createPerson(), String(begun.json.user_code))
  for (const shown of ['Television 9', String(begun.json.user_code), 'Television/9.1', '127.0.0.1', 'Not my device']) t.true(body.includes(shown), shown)
})
