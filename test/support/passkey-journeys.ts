// People with a password and a passkey, and the page that asks them for the passkey as a second factor.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import { createAuthenticator, type SoftAuthenticator, type Twist } from './authenticator.ts'
import { hiddenOf } from './factor-journeys.ts'
import { visitor } from './passkeys.ts'
import type { Answer, Person } from './person.ts'
import { redirectUri } from './relying-party.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** Makes a passkey for somebody who is there. */
export async function addPasskey(server: Pick<TestServer, 'issuer' | 'services'>, { id }: { id: string }): Promise<SoftAuthenticator> {
  const { users, passkeys } = server.services
  const user = await users.find(id)
  if (!user) throw new Error('there is no such user')
  const authenticator = createAuthenticator(server.issuer)
  const binding = randomUUID()
  const response = authenticator.create(await passkeys.beginEnrolment({ user, binding }))
  await passkeys.enrol({ ...visitor(), kind: 'user', id, userId: id }, { user, binding, response })
  return authenticator
}

/** A person with a password and a passkey, and recovery codes where they are asked for. */
export async function makePasskeyHolder(server: TestServer, { hasCodes = false } = {}) {
  const user = await makeUser(server)
  const authenticator = await addPasskey(server, user)
  const codes = hasCodes ? await server.services.recoveryCodes.issue(systemActor, user.id) : []
  return { ...user, authenticator, codes }
}

const at = ({ url }: Answer, path: string) => new URL(`${url.pathname.split('/').slice(0, 3).join('/')}/second-factor/passkey${path}`, url)

/** What the script of the page is given, by what that page says of itself. */
export async function optionsOf(person: Person, page: Answer) {
  const { status, body } = await person.post(at(page, '/options'), { csrf: hiddenOf(page).csrf ?? '' })
  return { status, options: status === 200 ? JSON.parse(body) : undefined }
}

/** Sends what an authenticator answered. */
export const sendPasskey = (person: Person, page: Answer, response: unknown) =>
  person.post(at(page, ''), { csrf: hiddenOf(page).csrf ?? '', response: typeof response === 'string' ? response : JSON.stringify(response) })

/** Uses a passkey on the page of the second factor, and follows where it leads. */
export async function usePasskey(person: Person, page: Answer, authenticator: SoftAuthenticator, twist: Twist = {}) {
  const { options } = await optionsOf(person, page)
  return person.follow(await sendPasskey(person, page, authenticator.get(options, twist)), redirectUri)
}
