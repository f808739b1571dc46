// Passwords that administrators give: whoever may not touch an administrator may not at the last moment either.
import test from 'ava'
import { type Actor, systemActor } from '../../src/platform/actor.ts'
import { userIdSchema } from '../../src/users/user.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after.always(() => server?.close())

const key: Actor = { kind: 'api_key', id: 'key', permissions: new Set(['users:write']) }

/** Takes all places where passwords are hashed, until it is called back. */
const holdHashing = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const held = Array.from({ length: 4 }, () => server.services.passwords.inTurn(() => promise))
  return async () => {
    resolve()
    await Promise.all(held)
  }
}

test('a user who becomes an administrator while the password is hashed keeps their own', async t => {
  const { assignedPasswords, userAdministration, users, signIn } = server.services
  const { id, email, password } = await makeUser(server)
  const user = await users.find(id)
  if (!user) throw new Error('no user')
  const letGo = holdHashing()
  const assigning = assignedPasswords.assign(key, { user, password: 'quite another long phrase' })
  await userAdministration.update(systemActor, userIdSchema.parse(id), { isAdmin: true })
  await Promise.all([t.throwsAsync(assigning, { code: 'forbidden' }), letGo()])
  t.is((await signIn.prove(systemActor, { identifier: email, password })).user.id, id)
})

test('a user who is deleted while the password is hashed is not found', async t => {
  const { assignedPasswords, userAdministration, users } = server.services
  const { id } = await makeUser(server)
  const user = await users.find(id)
  if (!user) throw new Error('no user')
  const letGo = holdHashing()
  const assigning = assignedPasswords.assign(key, { user, password: 'quite another long phrase' })
  await userAdministration.remove(systemActor, userIdSchema.parse(id))
  await Promise.all([t.throwsAsync(assigning, { code: 'not_found' }), letGo()])
})
