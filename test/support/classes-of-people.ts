// People of every class that a stranger must not tell apart.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import { userIdSchema } from '../../src/users/user.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** The classes; «over limit» has had its mails of the hour already. */
export const classes = ['existing', 'missing', 'suspended', 'unverified', 'without password', 'deleted', 'over limit'] as const

/** Makes a person of a class; answers the address. */
export async function makeOneOf(server: TestServer, kind: (typeof classes)[number]): Promise<string> {
  const { services } = server
  const email = `${randomUUID()}@people.example`
  if (kind === 'missing') return email
  if (kind === 'without password' || kind === 'unverified') {
    const { id } = await services.users.create(systemActor, { email, isEmailVerified: kind !== 'unverified' })
    if (kind === 'unverified') await services.signIn.setPassword(systemActor, { id, password: 'a long enough password' })
    return email
  }
  const { id } = await makeUser(server, { email })
  if (kind === 'suspended') await services.userAdministration.suspend(systemActor, userIdSchema.parse(id))
  if (kind === 'deleted') await services.userAdministration.remove(systemActor, userIdSchema.parse(id))
  if (kind === 'over limit')
    for (const purpose of [
      'password_reset',
      'email_verification',
      'password_reset',
      'email_verification',
      'password_reset',
      'password_reset',
      'password_reset',
    ] as const)
      await services.proofs.ask({ ...systemActor, ip: randomUUID() }, { purpose, email })
  return email
}
