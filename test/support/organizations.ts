// People who belong to several organizations of a test's own, and the clients that ask for them.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import type { Answer } from './person.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

/** An organization as tokens tell of it. */
export type MadeOrganization = Awaited<ReturnType<typeof makeOrganizationOf>>

/** Makes an organization with this member, whose role is `member` unless told otherwise. */
export async function makeOrganizationOf({ services }: TestServer, userId: string, { role = 'member', name = 'Works' } = {}) {
  const { id, slug } = await services.organizations.create(systemActor, { name: `${name} ${randomUUID()}` })
  await services.members.add(systemActor, { organizationId: id, userId, role })
  return { id, slug }
}

/** Makes somebody who belongs to so many organizations. */
export async function makeMember(server: TestServer, count: number) {
  const person = await makeUser(server)
  const organizations: MadeOrganization[] = []
  for (let index = 0; index < count; index += 1) organizations.push(await makeOrganizationOf(server, person.id))
  return { ...person, organizations }
}

/** Whether a page asks which organization it is to be. */
export const isPicker = ({ body }: Answer): boolean => body.includes('name="organization"')
