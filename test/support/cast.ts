// Two organizations and everybody who may call: people of every role, machines of every kind, apps of people.
import { randomUUID } from 'node:crypto'
import * as client from 'openid-client'
import { type OrganizationId, organizationIdSchema } from '../../src/organizations/organization.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { TestApi } from './api.ts'
import { makeClient } from './clients.ts'
import { createPerson } from './person.ts'
import { redirectUri } from './relying-party.ts'

/** The password of everybody. */
const password = 'a long enough password'

/** Tokens of the callers by name, and the ids of what they may ask about. */
export interface Cast {
  readonly tokens: Readonly<Record<string, string | undefined>>
  readonly ids: Readonly<Record<string, string>>
}

/** Makes them. */
export async function makeCast(api: TestApi): Promise<Cast> {
  const { services } = api.server
  const people = await Promise.all(
    ['root', 'otherRoot', 'owner', 'admin', 'member', 'stranger', 'ownerB', 'manager', 'auditor'].map(async name => [name, await api.signIn()] as const),
  )
  const by = Object.fromEntries(people) as Record<string, Awaited<ReturnType<TestApi['signIn']>>>
  const idOf = (name: string) => by[name]?.id ?? ''
  for (const name of ['root', 'otherRoot']) await services.userAdministration.update(systemActor, idOf(name) as never, { isAdmin: true })
  const [a, b] = [await organization('A', idOf('owner')), await organization('B', idOf('ownerB'))]
  const gone = await organization('gone')
  const lost = await makeClient(api.server, { organizationId: gone, grantTypes: ['client_credentials'] })
  await services.organizations.remove(systemActor, gone)
  const role = (organizationId: OrganizationId, name: string, permissions: string[]) =>
    services.roles.create(systemActor, { organizationId, name, permissions })
  const manager = await role(a, 'manager', ['members:write', 'members:read', 'organizations:read', 'roles:read', 'roles:write'])
  const high = await role(a, 'high', ['organizations:delete'])
  const roleB = await role(b, 'theirs', [])
  await role(a, 'auditor', ['audit:read'])
  for (const name of ['admin', 'member', 'manager', 'auditor']) await services.members.add(systemActor, { organizationId: a, userId: idOf(name), role: name })
  const key = async (permissions: string[], organizationId?: string) => services.apiKeys.create(systemActor, { name: 'Key', permissions, organizationId })
  const everything = [
    'members:read',
    'members:write',
    'organizations:read',
    'roles:read',
    'roles:write',
    'api_keys:read',
    'api_keys:write',
    'clients:read',
    'clients:write',
  ]
  const [keyA, keyB, reader] = [await key(everything, a), await key(everything, b), await key(['api_keys:read'], a)]
  const system = await key(['users:read', 'users:write', 'clients:read', 'clients:write', 'members:write', 'organizations:read', 'admins:write'])
  const clientOf = (organizationId?: string, apiPermissions: string[] = []) =>
    makeClient(api.server, { organizationId, apiPermissions, grantTypes: ['client_credentials'] })
  const [clientA, clientB, strong, app] = [
    await clientOf(a),
    await clientOf(b),
    await clientOf(undefined, ['users:write', 'audit:read']),
    await makeClient(api.server),
  ]

  const appToken = async (name: string, scope: string) => {
    const resource = `${api.server.issuer}/api/v1`
    const made = await app.request({ scope: `openid ${scope}`, resource })
    const back = await createPerson().authorize(made.url, { email: by[name]?.email ?? '', password, redirectUri })
    return (await client.authorizationCodeGrant(app.configuration, back, made.checks, { resource })).access_token
  }
  async function organization(name: string, ownerId?: string) {
    return organizationIdSchema.parse((await services.organizations.create(systemActor, { name: `${name} ${randomUUID()}`, ownerId })).id)
  }
  return {
    tokens: {
      nobody: undefined,
      ...Object.fromEntries(people.map(([name, { token }]) => [name, token])),
      keyA: keyA.key,
      keyB: keyB.key,
      readerKey: reader.key,
      systemKey: system.key,
      ownersApp: await appToken('owner', 'members:read members:write roles:write'),
      rootsApp: await appToken('root', 'users:read users:write members:write'),
      rootsFullApp: await appToken('root', 'users:write admins:write'),
    },
    ids: {
      ...Object.fromEntries(people.map(([name, { id }]) => [name, id])),
      ...Object.fromEntries(people.map(([name, { sessionId }]) => [`${name}Session`, sessionId])),
      A: a,
      B: b,
      gone,
      none: randomUUID(),
      managerRole: manager.id ?? '',
      highRole: high.id ?? '',
      roleB: roleB.id ?? '',
      keyA: keyA.apiKey.id,
      keyB: keyB.apiKey.id,
      systemKey: system.apiKey.id,
      clientA: clientA.clientId,
      clientB: clientB.clientId,
      strongClient: strong.clientId,
      lostClient: lost.clientId,
    },
  }
}
