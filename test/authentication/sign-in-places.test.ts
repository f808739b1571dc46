// Whoever is refused keeps no place where passwords are hashed.
import test from 'ava'
import { createSignIn } from '../../src/authentication/sign-in.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Change } from '../../src/platform/data/change.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

test('a refusal beyond the budget that waits for the log keeps no place from others', async t => {
  const { resources, services } = server
  const { promise, resolve } = Promise.withResolvers<void>()
  const change: Change = async (actor, work) => {
    await promise
    return services.change(actor, work)
  }
  const signIn = createSignIn({ ...services, change, database: resources.database, replacePassword: async () => {} })
  const { id, email } = await makeUser(server)
  const refused = Array.from({ length: 14 }, () => t.throwsAsync(signIn.prove({ ...systemActor, ip: '10.0.0.1' }, { identifier: email, password: 'wrong' })))
  // Comes after them all, while none of their events is written.
  t.is(await services.passwords.inTurn(async () => 'free'), 'free')
  resolve()
  await Promise.all(refused)
  t.is(await resources.database.prisma.auditEvent.count({ where: { targetId: id, action: 'sign_in.refused' } }), 11)
})
