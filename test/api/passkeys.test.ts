// One's own passkeys over the API: made by the browser's JSON, listed, renamed, removed, and nobody else's.
import test from 'ava'
import { password, startApi, type TestApi } from '../support/api.ts'
import { createAuthenticator } from '../support/authenticator.ts'

let api: TestApi
test.before(async () => {
  api = await startApi()
})
test.after.always(() => api?.close())

const own = '/users/me/passkeys'

/** Somebody who is signed in, and what the API answered when they made a passkey. */
const enrolled = async (body: object = {}) => {
  const person = await api.signIn()
  const authenticator = createAuthenticator(api.server.issuer)
  const options = await api.ask(`POST ${own}/options`, { token: person.token })
  const response = authenticator.create(options.data)
  const reply = await api.ask(`POST ${own}`, { token: person.token, body: { response, ...body } })
  return { ...person, authenticator, options, response, reply }
}

test('a passkey is made in two steps and listed', async t => {
  const { token, options, reply } = await enrolled({ name: ' My key ' })
  t.is(options.status, 200)
  t.deepEqual(Object.keys(options.data).toSorted(), [
    'attestation',
    'authenticatorSelection',
    'challenge',
    'excludeCredentials',
    'pubKeyCredParams',
    'rp',
    'timeout',
    'user',
  ])
  t.is(reply.status, 201)
  t.like(reply.data, { name: 'My key', is_synced: false, last_used_at: null, aaguid: '00000000-0000-0000-0000-000000000000' })
  t.deepEqual(Object.keys(reply.data).toSorted(), ['aaguid', 'created_at', 'id', 'is_synced', 'last_used_at', 'name', 'updated_at'])
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [reply.data])
})

test('what browsers add to their JSON is no error, and what we do not know of the body is one', async t => {
  const { token, authenticator } = await enrolled()
  const { data } = await api.ask(`POST ${own}/options`, { token })
  const made = authenticator.create(data)
  const response = {
    ...made,
    authenticatorAttachment: 'platform',
    clientExtensionResults: { credProps: { rk: true } },
    later: 1,
    response: { ...made.response, publicKeyAlgorithm: -7, publicKey: 'AAAA', authenticatorData: 'AAAA', later: 1 },
  }
  t.is((await api.ask(`POST ${own}`, { token, body: { response, user_id: 'x' } })).status, 400)
  t.is((await api.ask(`POST ${own}`, { token, body: { response } })).status, 201)
})

test('a passkey is renamed by whoever read it last, and removed', async t => {
  const { token, reply } = await enrolled()
  const one = `${own}/${reply.data.id}`
  const renamed = await api.ask(`PATCH ${one}`, { token, body: { name: 'Laptop' }, headers: { 'if-match': String(reply.headers.etag) } })
  t.deepEqual([renamed.status, renamed.data.name], [200, 'Laptop'])
  const late = await api.ask(`PATCH ${one}`, { token, body: { name: 'Phone' }, headers: { 'if-match': String(reply.headers.etag) } })
  t.is(late.status, 412)
  t.is((await api.ask(`DELETE ${one}`, { token })).status, 200)
  t.is((await api.ask(`DELETE ${one}`, { token })).status, 404)
  t.is((await api.ask(`PATCH ${one}`, { token, body: { name: 'Gone' } })).status, 404)
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [])
})

test('nobody reaches the passkey of another', async t => {
  const { reply } = await enrolled()
  const { token } = await api.signIn()
  t.is((await api.ask(`PATCH ${own}/${reply.data.id}`, { token, body: { name: 'Mine' } })).status, 404)
  t.is((await api.ask(`DELETE ${own}/${reply.data.id}`, { token })).status, 404)
  t.deepEqual((await api.ask(`GET ${own}`, { token })).data, [])
})

test('options are good for the session that asked, and once', async t => {
  const mine = await api.signIn()
  const again = await api.signIn(mine)
  const authenticator = createAuthenticator(api.server.issuer)
  const { data } = await api.ask(`POST ${own}/options`, { token: mine.token })
  const response = authenticator.create(data)
  const elsewhere = await api.ask(`POST ${own}`, { token: again.token, body: { response } })
  t.deepEqual([elsewhere.status, elsewhere.error?.details.fields?.[0]?.path], [400, 'response'])
  t.is((await api.ask(`POST ${own}`, { token: mine.token, body: { response } })).status, 201)
  t.is((await api.ask(`POST ${own}`, { token: mine.token, body: { response } })).status, 400)
})

test('a credential that somebody has is a conflict', async t => {
  const { response } = await enrolled()
  const { token } = await api.signIn()
  const { data } = await api.ask(`POST ${own}/options`, { token })
  const copy = createAuthenticator(api.server.issuer).create(data, { credentialId: response.id })
  const reply = await api.ask(`POST ${own}`, { token, body: { response: copy } })
  t.deepEqual([reply.status, reply.error?.type], [409, 'CONFLICT'])
})

test('names and bodies are bounded', async t => {
  const { token, reply, response } = await enrolled()
  for (const name of ['', '  ', 'x'.repeat(101), null, 5])
    t.is((await api.ask(`PATCH ${own}/${reply.data.id}`, { token, body: { name } })).status, 400, JSON.stringify(name))
  const bodies = [
    {},
    { response: null },
    { response: 'text' },
    { response: { ...response, id: 'x'.repeat(1365) } },
    { response: { ...response, type: 'password' } },
    { response: { ...response, response: { ...response.response, attestationObject: 'x'.repeat(16_385) } } },
    { response: { ...response, response: { ...response.response, clientDataJSON: 'a+b/' } } },
    { response: { ...response, response: { ...response.response, transports: Array<string>(11).fill('usb') } } },
  ]
  for (const body of bodies) t.is((await api.ask(`POST ${own}`, { token, body })).status, 400, JSON.stringify(body).slice(0, 100))
})

test('a new password leaves passkeys as they are', async t => {
  const { token } = await enrolled()
  const body = { current_password: password, new_password: 'eleven silver kettles' }
  t.is((await api.ask('POST /users/me/password', { token, body })).status, 200)
  t.is((await api.ask(`GET ${own}`, { token })).data.length, 1)
})
