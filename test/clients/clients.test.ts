// What is kept of clients: what was read of them, for those that were looked at last alone.
import test from 'ava'
import { createClients } from '../../src/clients/clients.ts'
import { makeClient } from '../support/clients.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const feed = { on: () => () => undefined, isCurrent: () => false }

test('what was read of clients is kept for so many, and read anew of those that nobody asked for the longest', async t => {
  const clients = createClients({ ...server.resources, feed, maxKnown: 2 } as never)
  const ids = [await makeClient(server), await makeClient(server), await makeClient(server)].map(({ clientId }) => clientId)
  const [often = '', seldom = '', last = ''] = ids
  // Asked for by its version each time, as when its moment is over.
  const look = (id: string) => {
    clients.forget(id)
    return clients.find(id)
  }
  const first = { often: await look(often), seldom: await look(seldom) }
  t.is(await look(often), first.often)
  await look(last)
  t.is(await look(often), first.often)
  const again = await look(seldom)
  t.not(again, first.seldom)
  t.deepEqual(again, first.seldom)
})
