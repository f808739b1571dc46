// Guessing user codes is bounded, whatever the session.
import test from 'ava'
import * as client from 'openid-client'
import { createDeviceLimit, noteWrongUserCode } from '../../src/oidc/device-limit.ts'
import { makeClient } from '../support/clients.ts'
import { createPerson } from '../support/person.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('after sixty posted codes an address is refused and told when to come again', async t => {
  const url = new URL('/device', server.issuer)
  const statuses: number[] = []
  for (let round = 0; round < 60; round += 1) statuses.push((await createPerson().post(url, { xsrf: 'none', user_code: 'WDJB-MJHT' })).status)
  t.false(statuses.includes(429))
  const refused = await createPerson().post(url, { xsrf: 'none', user_code: 'WDJB-MJHT' })
  t.is(refused.status, 429)
  t.true(Number(refused.headers.get('Retry-After')) > 0)
})

test('a code cannot be posted to the page by another spelling of its address', async t => {
  for (const path of ['/device/', '/DEVICE']) t.is((await createPerson().post(new URL(path, server.issuer), { user_code: 'WDJB-MJHT' })).status, 404, path)
})

const guess = async (server: TestServer, userCode: string) => {
  const person = createPerson()
  return person.submit(await person.get(`${server.issuer}/device`), { user_code: userCode })
}

test.serial('after twenty wrong codes an address is refused, and right ones do not count', async t => {
  const own = await startServer()
  t.teardown(own.close)
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
  const device = await makeClient(own, { authenticationMethod: 'none', grantTypes: [grantType] })
  const { user_code: userCode } = await client.initiateDeviceAuthorization(device.configuration, { scope: 'openid' })
  for (let round = 0; round < 5; round += 1) t.is((await guess(own, userCode)).status, 200)
  for (let round = 0; round < 20; round += 1) t.is((await guess(own, 'BBBB-BBBB')).status, 200)
  t.is((await guess(own, userCode)).status, 429)
})

test('when wrong codes come from everywhere each address has three more, and whoever has a code still connects', async t => {
  const middleware = createDeviceLimit(server.services.limit)
  const post = async (ip: string, isWrong: boolean) => {
    const ctx = { method: 'POST', path: '/device', ip, req: {} }
    await middleware(ctx as never, async () => {
      if (isWrong) noteWrongUserCode(ctx as never)
    })
  }
  const statusOf = (work: Promise<void>) =>
    work.then(
      () => 200,
      (error: { status: number }) => error.status,
    )
  for (let network = 0; network < 15; network += 1)
    t.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, () => statusOf(post(`198.51.100.${network}`, true))))), new Set([200]))
  const late = await Promise.all(Array.from({ length: 5 }, () => statusOf(post('203.0.113.9', true))))
  t.deepEqual(late.toSorted(), [200, 200, 200, 429, 429])
  for (let round = 0; round < 6; round += 1) t.is(await statusOf(post('203.0.113.10', false)), 200)
})
