// The signing keys through the API.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { startApi, type TestApi } from '../support/api.ts'

let api: TestApi
let token: string
test.before(async () => {
  api = await startApi()
  const person = await api.signIn()
  await api.server.services.userAdministration.update(systemActor, person.id as never, { isAdmin: true })
  await sleep(1100)
  token = person.token
})
test.after.always(() => api?.close())

interface Told {
  readonly id: string
  readonly kid: string
  readonly state: string
  readonly algorithm: string
}
const encryption = new Set(['RSA-OAEP-256', 'ECDH-ES'])
const published = async () => ((await api.calls.call('/oauth2/jwks')).json.keys as { kid: string }[]).map(({ kid }) => kid)

test.serial('keys are told without what is private, and rotated only when clients may know the next', async t => {
  await api.server.resources.database.pool.query("UPDATE signing_keys SET created_at = now() WHERE state = 'next'")
  const before = await api.ask('GET /signing-keys', { token })
  t.is(before.data.length, 10)
  t.deepEqual(Object.keys(before.data[0]).sort(), ['activated_at', 'algorithm', 'created_at', 'id', 'kid', 'retired_at', 'revoked_at', 'state'])
  t.is((await api.ask('POST /signing-keys/rotate', { token })).status, 409)
  const after = await api.ask('POST /signing-keys/rotate', { token, body: { force: true } })
  t.is(after.status, 200)
  const kids = (keys: Told[], state: string, signing = true) =>
    keys
      .filter(key => key.state === state && !encryption.has(key.algorithm) === signing)
      .map(({ kid }) => kid)
      .sort()
  t.deepEqual(kids(after.data, 'current'), kids(before.data, 'next'))
  t.deepEqual(kids(after.data, 'retired'), kids(before.data, 'current'))
  // What is for us is encrypted under the new keys alone, at once: the old ones open what came before.
  t.deepEqual(kids(after.data, 'retired', false), kids(before.data, 'current', false))
  const unpublished = kids(after.data, 'retired', false)
  t.deepEqual((await published()).sort(), after.data.flatMap(({ kid }: Told) => (unpublished.includes(kid) ? [] : kid)).sort())
})

test.serial('a key is revoked by its id, once, and gone from the key set at once', async t => {
  const keys: Told[] = (await api.ask('GET /signing-keys', { token })).data
  const key = keys.find(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')
  const revoked = await api.ask(`POST /signing-keys/${key?.id}/revoke`, { token })
  t.is(revoked.status, 200)
  t.is(revoked.data.find(({ id }: Told) => id === key?.id).state, 'revoked')
  t.false((await published()).includes(key?.kid ?? ''))
  t.is((await api.ask(`POST /signing-keys/${key?.id}/revoke`, { token })).status, 409)
  t.is((await api.ask(`POST /signing-keys/${randomUUID()}/revoke`, { token })).status, 404)
  const events = (await api.ask('GET /audit-logs?action=signing_key.revoked', { token })).data
  t.is(events.length, 1)
  t.like(events[0].target, { id: key?.id, details: { kid: key?.kid, algorithm: 'ES256', state: 'current' } })
})

test('who is no administrator of the system sees and rotates no key', async t => {
  const person = await api.signIn()
  for (const operation of ['GET /signing-keys', 'POST /signing-keys/rotate', `POST /signing-keys/${randomUUID()}/revoke`])
    t.is((await api.ask(operation, { token: person.token })).status, 403)
})
