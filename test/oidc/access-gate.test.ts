// Requests that go on in a session while it is being ended: none of them brings it back.
import test from 'ava'
import { systemActor } from '../../src/platform/actor.ts'
import { makeClient } from '../support/clients.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('however a session is resumed while everything of its user ends, nothing of it lives afterwards', async t => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => makeClient(server)))
  const [first] = clients
  for (let round = 0; round < 5 && first; round += 1) {
    const who = await makeUser(server)
    const { person } = await first.signIn({ who })
    const urls = await Promise.all(clients.map(async one => (await one.request({ prompt: 'none' })).url))
    const ending = server.services.change(systemActor, async (tx, record) => {
      await server.services.endAccess(tx, who.id)
      record('user.sessions_ended', { id: who.id, email: who.email })
    })
    const replies = await Promise.all([...urls.map(url => person.get(url)), ending.then(() => undefined)])
    t.true(replies.every(reply => reply === undefined || reply.status < 500))
    const living = await server.resources.database.prisma.oidcArtifact.count({
      where: { accountId: who.id, kind: { in: ['Session', 'Grant'] }, revokedAt: null },
    })
    t.is(living, 0, `round ${round}`)
    const silent = await person.get((await first.request({ prompt: 'none' })).url)
    t.is(silent.location?.searchParams.get('error'), 'login_required')
  }
})
