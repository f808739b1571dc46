// An organization of a test's own, with an owner, an admin and a member who ask about it.
import { randomUUID } from 'node:crypto'
import { systemActor } from '../../src/platform/actor.ts'
import type { TestApi } from './api.ts'

type Person = Awaited<ReturnType<TestApi['signIn']>>

/** Who may belong to several. */
export interface People {
  readonly owner: Person
  readonly admin: Person
  readonly member: Person
}

/** Signs three people in. */
export const signInPeople = async (api: TestApi): Promise<People> => ({ owner: await api.signIn(), admin: await api.signIn(), member: await api.signIn() })

/** Makes it, of people of its own unless told; `as…` ask about it: an operation's path goes on after the organization's. */
export async function makeOrganization(api: TestApi, people?: People) {
  const { owner, admin, member } = people ?? (await signInPeople(api))
  const { id } = await api.server.services.organizations.create(systemActor, { name: `Roles ${randomUUID()}`, ownerId: owner.id })
  const { members } = api.server.services
  await members.add(systemActor, { organizationId: id, userId: admin.id, role: 'admin' })
  await members.add(systemActor, { organizationId: id, userId: member.id, role: 'member' })
  const base = `/organizations/${id}`
  const as =
    ({ token }: Person) =>
    (operation: string, body?: unknown, headers?: Record<string, string>) => {
      const [method, path] = operation.split(' ')
      return api.ask(`${method} ${base}${path}`, { token, body, headers })
    }
  return { id, base, owner, admin, member, as, asOwner: as(owner), asAdmin: as(admin), asMember: as(member) }
}
