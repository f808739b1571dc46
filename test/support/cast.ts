// Two organizations and everybody who may call: people of every role, machines of every kind, apps of people.
import { randomUUID } from 'node:crypto'
import * as client from 'openid-client'
import { type OrganizationId, organizationIdSchema } from '../../src/organizations/organization.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { password, type TestApi } from './api.ts'
import { makeClient } from './clients.ts'
import { createPerson } from './person.ts'
import { redirectUri } from './relying-party.ts'

/** Tokens of the callers by name, and the ids of what they may ask about. */
export interface Cast {
  readonly tokens: Readonly<Record<string, string | undefined>>
  readonly ids: Readonly<Record<string, string>>
}

/** Makes them. */
export async function makeCast(api: TestApi): Promise<Cast> {
  const people = await makePeople(api)
  const places = await makePlaces(api, people)
  const machines = await makeMachines(api, places)
  return {
    tokens: { nobody: undefined, ...each(people, ({ token }) => token), ...machines.tokens, ...(await makeApps(api, people)) },
    ids: {
      ...each(people, ({ id }) => id),
      ...Object.fromEntries(Object.entries(people).map(([name, { sessionId }]) => [`${name}Session`, sessionId])),
      ...places,
      ...machines.ids,
      none: randomUUID(),
    },
  }
}

const names = ['root', 'otherRoot', 'owner', 'admin', 'member', 'stranger', 'ownerB', 'manager', 'auditor'] as const

type People = Readonly<Record<(typeof names)[number], Awaited<ReturnType<TestApi['signIn']>>>>

const each = <Value>(people: People, of: (person: People['root']) => Value) => Object.fromEntries(names.map(name => [name, of(people[name])]))

async function makePeople(api: TestApi): Promise<People> {
  const made = await Promise.all(names.map(async name => [name, await api.signIn()] as const))
  const people = Object.fromEntries(made) as Record<(typeof names)[number], People['root']>
  for (const { id } of [people.root, people.otherRoot]) await api.server.services.userAdministration.update(systemActor, id as never, { isAdmin: true })
  return people
}

/** Organization A with roles of its own and their people, B with one, and one that is deleted. */
async function makePlaces({ server: { services } }: TestApi, people: People) {
  const organization = async (ownerId?: string) =>
    organizationIdSchema.parse((await services.organizations.create(systemActor, { name: `Cast ${randomUUID()}`, ownerId })).id)
  const role = async (organizationId: OrganizationId, name: string, permissions: readonly string[]) =>
    (await services.roles.create(systemActor, { organizationId, name, permissions })).id ?? ''
  const [a, b, gone] = [await organization(people.owner.id), await organization(people.ownerB.id), await organization()]
  const managerRole = await role(a, 'manager', ['members:write', 'members:read', 'organizations:read', 'roles:read', 'roles:write'])
  const highRole = await role(a, 'high', ['organizations:delete'])
  await role(a, 'auditor', ['audit:read'])
  const roleB = await role(b, 'theirs', [])
  for (const name of ['admin', 'member', 'manager', 'auditor'] as const)
    await services.members.add(systemActor, { organizationId: a, userId: people[name].id, role: name })
  return { A: a, B: b, gone, managerRole, highRole, roleB }
}

async function makeMachines(api: TestApi, { A, B, gone }: Awaited<ReturnType<typeof makePlaces>>) {
  const { services } = api.server
  const key = (permissions: string[], organizationId?: string) => services.apiKeys.create(systemActor, { name: 'Key', permissions, organizationId })
  const whole = ['organizations:read', ...['members', 'roles', 'api_keys', 'clients'].flatMap(name => [`${name}:read`, `${name}:write`])]
  const [keyA, keyB, reader] = [await key(whole, A), await key(whole, B), await key(['api_keys:read'], A)]
  const system = await key(['users:read', 'users:write', 'clients:read', 'clients:write', 'members:write', 'organizations:read', 'admins:write'])
  const client = async (organizationId?: string, apiPermissions: string[] = []) =>
    (await makeClient(api.server, { organizationId, apiPermissions, grantTypes: ['client_credentials'] })).clientId
  const clients = {
    clientA: await client(A),
    clientB: await client(B),
    lostClient: await client(gone),
    strongClient: await client(undefined, ['users:write', 'audit:read']),
  }
  await services.organizations.remove(systemActor, gone)
  return {
    tokens: { keyA: keyA.key, keyB: keyB.key, readerKey: reader.key, systemKey: system.key },
    ids: { keyA: keyA.apiKey.id, keyB: keyB.apiKey.id, systemKey: system.apiKey.id, ...clients },
  }
}

/** Access tokens of people, narrowed to what they granted an app. */
async function makeApps(api: TestApi, people: People) {
  const app = await makeClient(api.server)
  const resource = `${api.server.issuer}/api/v1`
  const token = async ({ email }: People['root'], scope: string) => {
    const made = await app.request({ scope: `openid ${scope}`, resource })
    const back = await createPerson().authorize(made.url, { email, password, redirectUri })
    return (await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource })).access_token
  }
  return {
    ownersApp: await token(people.owner, 'members:read members:write roles:write'),
    membersApp: await token(people.member, 'members:read'),
    rootsApp: await token(people.root, 'users:read users:write members:write'),
    rootsFullApp: await token(people.root, 'users:write admins:write'),
  }
}
