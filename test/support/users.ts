// Users of a test's own, each with a password.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import { plant } from './canaries.ts'
import type { TestServer } from './server.ts'

/** Makes a user with a verified address. */
export async function makeUser(server: TestServer, { email = `${randomUUID()}@people.example`, password = 'a long enough password' } = {}) {
  const { id } = await server.services.users.create(systemActor, { email, name: 'A Test Person', isEmailVerified: true })
  await server.services.signIn.setPassword(systemActor, { id, password: plant(password) })
  return { id, email, password }
}
