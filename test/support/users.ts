// Users of a test's own, each with a password.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from './canaries.ts'
import type { TestServer } from './server.ts'

/** Makes a user with a verified address. */
export async function makeUser(
  { services }: Pick<TestServer, 'services'>,
  { email = `${randomUUID()}@people.example`, password = 'a long enough password' } = {},
) {
  const { id } = await services.users.create(systemActor, { email, name: 'A Test Person', isEmailVerified: true })
  await services.signIn.setPassword(systemActor, { id, password: plant(password) })
  return { id, email, password }
}
