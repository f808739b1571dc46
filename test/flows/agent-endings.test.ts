// What ends an agent or what it holds × everything that is tried with it afterwards: nothing lives.
import test from 'ava'
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import { assertionOf, jwtBearer, makeAgent, type TestAgent } from '../support/agents.ts'
import { type Calls, createCalls } from '../support/calls.ts'
import { makeClient, type TestClient } from '../support/clients.ts'
import { accessTokenType, askExchange, exchange, introspect, makeExchanger } from '../support/exchange.ts'
import { makeOrganizationOf } from '../support/organizations.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { makeUser } from '../support/users.ts'

let server: TestServer
let calls: Calls
test.before(async () => {
  server = await startServer()
  calls = createCalls(server.issuer)
})
test.after.always(async () => {
  await calls?.close()
  await server?.close()
})

interface Ground {
  readonly agent: TestAgent
  readonly owner: { readonly id: string }
  /** Whom it acts for: its owner, or another member of its organization. */
  readonly who: { readonly id: string }
  readonly organizationId: string
  readonly held: Held
  readonly service: TestClient
  readonly witness: TestClient
}

interface Held {
  readonly opaque: string
  readonly jwt: string
  /** The latest. */
  refresh: string
  readonly own: string
  readonly downstream: string
}

const ways: Record<string, (ground: Ground) => Promise<unknown>> = {
  'its owner is suspended': ({ owner }) => server.services.userAdministration.suspend(systemActor, owner.id as never),
  'its owner is deleted': ({ owner }) => server.services.userAdministration.remove(systemActor, owner.id as never),
  'it is disabled': ({ agent }) => server.services.clientAdministration.update(systemActor, { id: agent.clientId }, { isDisabled: true }),
  'it is deleted': ({ agent }) => server.services.clientAdministration.remove(systemActor, { id: agent.clientId }),
}
const ofOrganization: typeof ways = {
  'the member whom it acts for leaves': ({ who, organizationId }) => server.services.members.remove(systemActor, { organizationId, userId: who.id } as never),
  'its owner leaves the organization': ({ owner, organizationId }) =>
    server.services.members.remove(systemActor, { organizationId, userId: owner.id } as never),
  'its organization is deleted': ({ organizationId }) => server.services.organizations.remove(systemActor, organizationId as never),
}
const ofAccess: typeof ways = {
  'consent is taken back': ({ who, agent }) => server.services.consents.revoke(systemActor, { userId: who.id, clientId: agent.clientId }),
  'the grant is revoked': ({ agent, held }) => client.tokenRevocation(agent.configuration, held.refresh),
}

for (const kind of ['a person’s', 'an organization’s'] as const) {
  const ends = { ...ways, ...(kind === 'a person’s' ? {} : ofOrganization), ...ofAccess }
  for (const [how, end] of Object.entries(ends))
    test(`when ${how}, nothing lives of ${kind} agent`, async t => {
      const ground = await makeGround(kind)
      const before = await alive(ground)
      t.deepEqual(
        Object.entries(before).filter(([, lives]) => !lives),
        [],
        'everything lives before',
      )
      await end(ground)
      const after = await alive(ground)
      // Access that is taken back ends what the agent held for the person; the agent itself goes on.
      const own = how in ofAccess || how.startsWith('the member') ? new Set(['client credentials', 'jwt bearer', 'own token']) : new Set()
      t.deepEqual(
        Object.entries(after).filter(([name, lives]) => lives !== own.has(name)),
        [],
      )
    })
}

const makeGround = async (kind: string): Promise<Ground> => {
  const owner = await makeUser(server)
  const { id: organizationId } = await makeOrganizationOf(server, owner.id, { role: 'admin' })
  const isOwn = kind === 'a person’s'
  const who = isOwn ? owner : await makeUser(server)
  if (!isOwn) await server.services.members.add(systemActor, { organizationId, userId: who.id, role: 'admin' })
  else await server.services.userAdministration.update(systemActor, owner.id as never, { isAdmin: true })
  const agent = await makeAgent(server, { ownerUserId: owner.id, refreshGraceSeconds: 300, ...(isOwn ? {} : { organizationId }) })
  const service = await makeExchanger(server, { allowed_clients: [agent.clientId] }, isOwn ? {} : { organizationId })
  const witness = await makeClient(server, { grantTypes: ['client_credentials'], isFirstParty: false, ...(isOwn ? {} : { organizationId }) })
  const parameters = { scope: 'openid email offline_access clients:read', prompt: 'consent' }
  const { tokens, person } = await agent.signIn({ who, parameters: { ...parameters, resource: `${server.issuer}/api/v1` } })
  const { tokens: plain } = await agent.signIn({ who, person, parameters: { scope: 'openid email' } })
  const held = {
    opaque: plain.access_token,
    jwt: tokens.access_token,
    refresh: tokens.refresh_token ?? '',
    own: (await client.clientCredentialsGrant(agent.configuration)).access_token,
    downstream: (await exchange(server, service, plain.access_token)).access_token,
  }
  return { agent, owner, who, organizationId, held, service, witness }
}

/** What of all that may be tried is answered as for the living. */
const alive = async ({ agent, organizationId, held, service, witness }: Ground): Promise<Record<string, boolean>> => {
  const statusOf = async (path: string, token: string) => (await calls.call(path, { headers: { authorization: `Bearer ${token}` } })).status === 200
  const isGranted = (work: Promise<unknown>) => work.then(() => true, isRefused)
  const isActive = (by: TestClient, token: string) => introspect(by, token).then(({ active }) => active, isRefused)
  const assertion = await assertionOf(server, agent)
  const isWitnessed = (await server.services.clients.find(witness.clientId))?.organizationId !== undefined
  const isRefreshTokenActive = await isActive(agent, held.refresh)
  const refreshing = client.refreshTokenGrant(agent.configuration, held.refresh).then(tokens => {
    held.refresh = tokens.refresh_token ?? held.refresh
  })
  return {
    'introspection, refresh token': isRefreshTokenActive,
    refresh: await isGranted(refreshing),
    userinfo: await statusOf('/oauth2/userinfo', held.opaque),
    'introspection, opaque': await isActive(agent, held.opaque),
    'introspection, JWT': await isActive(agent, held.jwt),
    'own token': await isActive(agent, held.own),
    ...(isWitnessed ? { 'introspection by another': await isActive(witness, held.jwt) } : {}),
    'API call': await statusOf(`/api/v1/organizations/${organizationId}/clients`, held.jwt),
    exchange: (await askExchange(server, agent, { subject_token: held.opaque, subject_token_type: accessTokenType })).status === 200,
    'exchange by another': (await askExchange(server, service, { subject_token: held.opaque, subject_token_type: accessTokenType })).status === 200,
    'what was exchanged, at userinfo': await statusOf('/oauth2/userinfo', held.downstream),
    'what was exchanged, at introspection': await isActive(service, held.downstream),
    'client credentials': await isGranted(client.clientCredentialsGrant(agent.configuration)),
    'jwt bearer': await isGranted(client.genericGrantRequest(agent.configuration, jwtBearer, { assertion })),
  }
}

const isRefused = (error: unknown): false => {
  if (error instanceof client.ResponseBodyError && error.status < 500) return false
  if (error instanceof client.WWWAuthenticateChallengeError) return false
  throw error
}
