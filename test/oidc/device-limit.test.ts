// Guessing user codes is bounded, whatever the session.
import test from 'ava'
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
