// People with passkeys, at the services: what a ceremony gave, and why one was refused.
import { randomInt, randomUUID } from 'node:crypto'
import { PasskeyRefusal } from '../../src/mfa/passkey.ts'
import type { Passkeys } from '../../src/mfa/passkeys.ts'
import type { Actor } from '../../src/platform/actor.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { Problem } from '../../src/platform/errors.ts'
import { createAuthenticator, type Twist } from './authenticator.ts'
import type { TestServer } from './server.ts'

type Place = Pick<TestServer, 'issuer' | 'services'>

/** Somebody at an address of their own, so that budgets are not shared. */
export const visitor = (): Actor => ({
  kind: 'anonymous',
  permissions: new Set(),
  requestId: randomUUID(),
  ip: `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}`,
  userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
})

/** A person without a passkey yet. */
export async function makePerson({ services, issuer }: Place, { isSynced = false } = {}) {
  const user = await services.users.create(systemActor, { email: `${randomUUID()}@people.example`, name: 'A Person' })
  const actor: Actor = { ...visitor(), kind: 'user', id: user.id, userId: user.id }
  return { user, actor, binding: randomUUID(), authenticator: createAuthenticator(issuer, { isSynced }) }
}

/** What {@link makePerson} gives. */
export type TestPerson = Awaited<ReturnType<typeof makePerson>>

/** Makes a passkey for somebody. */
export async function enrol({ services }: Place, { user, actor, binding, authenticator }: TestPerson, twist: Twist & { name?: string } = {}) {
  const options = await services.passkeys.beginEnrolment({ user, binding })
  return services.passkeys.enrol(actor, { user, binding, response: authenticator.create(options, twist), name: twist.name })
}

/** A person with a passkey. */
export async function makeHolder(server: Place, { twist = {}, isSynced = false }: { twist?: Twist; isSynced?: boolean } = {}) {
  const person = await makePerson(server, { isSynced })
  return { ...person, passkey: await enrol(server, person, twist) }
}

/** Signs in with the newest passkey of somebody. */
export async function signInWith(passkeys: Passkeys, { authenticator }: Pick<TestPerson, 'authenticator'>, twist: Twist = {}) {
  const binding = randomUUID()
  const options = await passkeys.beginProof(visitor(), { binding })
  return passkeys.signIn(visitor(), { binding, response: authenticator.get(options, twist) })
}

/** The code and the reason of a refusal, such as `passkey_refused origin`; `accepted` where there was none. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'accepted'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.cause instanceof PasskeyRefusal ? `${error.code} ${error.cause.reason}` : error.code
  }
}
