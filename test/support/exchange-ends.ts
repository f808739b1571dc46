// Ends an ancestor of a chain of exchanges, and shows that everything after it is refused wherever it is taken, and nothing before it.
import * as client from 'openid-client'
import { systemActor } from '../../src/platform/actor.ts'
import type { Calls } from './calls.ts'
import type { TestClient } from './clients.ts'
import { introspect, type makeSubject } from './exchange.ts'
import type { Held } from './exchange-chains.ts'
import type { TestServer } from './server.ts'
import { until } from './until.ts'

/** The ways in which an ancestor ends. */
export const ends = ['token', 'actor', 'grant', 'consent', 'person', 'session', 'client', 'family', 'membership'] as const
export type End = (typeof ends)[number]

interface Chain {
  readonly front: TestClient
  readonly links: readonly Held[]
  readonly subject: Awaited<ReturnType<typeof makeSubject>>
}

/** Makes it: given how, and at which link, it throws a sentence for what lives or died against the rules. */
export const createEndings = (ground: { server: TestServer; calls: Calls }) => async (end: { how: End; link: number }, chain: Chain) => {
  const { links } = chain
  for (const one of links) if (!(await isTaken(ground, one))) throw new Error('a token is not taken before anything ended')
  const dead = await kill(ground.server, end, chain)
  for (const [n, one] of links.entries()) {
    // A client is remembered for a second, and so is a person.
    if (n >= dead) await until(async () => !(await isTaken(ground, one)))
    else if (!(await isTaken(ground, one))) throw new Error(`link ${n} ended, though only ${dead} and what is after it should have`)
  }
}

// A client that is gone can ask for nothing: its tokens are asked for where they are taken.
const isTaken = async ({ server, calls }: { server: TestServer; calls: Calls }, { by, token, audience, scopes }: Held): Promise<boolean> => {
  const headers = { authorization: `Bearer ${token}` }
  const statusOf = async (path: string) => (await calls.call(path, { headers })).status
  const isActive = (await introspect(by, token).catch(refused)).active
  if (audience === undefined && !scopes.has('openid')) return isActive
  const path = audience === undefined ? '/oauth2/userinfo' : '/api/v1/users'
  const status = await statusOf(path)
  const isMeant = audience === undefined || audience === `${server.issuer}/api/v1`
  if (!isMeant && status !== 401) throw new Error(`${path} took a token for ${audience}`)
  if (isMeant && isActive !== (status !== 401)) {
    // What is remembered for a second here may be forgotten there.
    await until(async () => (await introspect(by, token).catch(refused)).active === ((await statusOf(path)) !== 401), 5)
    return (await introspect(by, token).catch(refused)).active
  }
  return isActive
}

const refused = (error: unknown) => {
  if (error instanceof client.ResponseBodyError && error.error === 'invalid_client') return { active: false }
  if (error instanceof client.WWWAuthenticateChallengeError) return { active: false }
  throw error
}

/** Answers from which link on nothing may live. */
const kill = async ({ resources, services }: TestServer, { how, link }: { how: End; link: number }, { front, links, subject }: Chain): Promise<number> => {
  const { prisma } = resources.database
  const { who, refreshToken } = subject
  const at = link % links.length
  const { by, token, actor } = links[at] as Held
  const ofClient = links.findIndex(one => one.by.clientId === by.clientId)
  const bound = links.findIndex(one => one.organization !== undefined)
  const revoked = { revokedAt: new Date() }
  const ways: Record<End, () => Promise<number>> = {
    token: async () => {
      await client.tokenRevocation(by.configuration, token)
      return at
    },
    actor: async () => {
      if (actor === undefined) return links.length
      await client.tokenRevocation(by.configuration, actor)
      return at
    },
    grant: async () => {
      await prisma.oidcArtifact.updateMany({ where: { kind: 'Grant', clientId: by.clientId, accountId: who.id }, data: revoked })
      return ofClient
    },
    consent: async () => {
      await services.consents.revoke(systemActor, { userId: who.id, clientId: front.clientId })
      return 0
    },
    person: async () => {
      await services.userAdministration.suspend(systemActor, who.id as never)
      return 0
    },
    session: async () => {
      await prisma.oidcArtifact.updateMany({ where: { kind: 'Session', accountId: who.id }, data: revoked })
      return 0
    },
    client: async () => {
      await services.clientAdministration.remove(systemActor, { id: by.clientId })
      return ofClient
    },
    family: async () => {
      await client.refreshTokenGrant(front.configuration, refreshToken)
      await client.refreshTokenGrant(front.configuration, refreshToken).catch(() => undefined)
      return 0
    },
    membership: async () => {
      if (bound < 0) return links.length
      await services.members.remove(systemActor, { organizationId: links[bound]?.organization, userId: who.id } as never)
      return bound
    },
  }
  return ways[how]()
}
