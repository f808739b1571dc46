// A ground for token exchange: resource servers, clients with a policy, and requests whose answers are read as they are.

import { randomUUID } from 'node:crypto'
import * as client from 'openid-client'
import type { Access, ListedClient } from '../../src/clients/resource-server.ts'
import type { TokenExchangePolicy } from '../../src/clients/token-exchange.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { plantTokens } from './canaries.ts'
import { makeClient, type TestClient } from './clients.ts'
import type { TestServer } from './server.ts'
import { makeUser } from './users.ts'

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** Grant types of a client that signs people in and exchanges. */
export const exchangerGrants = ['authorization_code', 'refresh_token', 'client_credentials', exchangeGrant]

/** A policy that allows an exchange without an actor, unless told otherwise. */
export const policyOf = (given: Partial<TokenExchangePolicy> = {}): TokenExchangePolicy => ({
  allowed_clients: 'own',
  audiences: [],
  may_impersonate: true,
  may_delegate: false,
  ...given,
})

/** Makes a confidential client that exchanges. */
export const makeExchanger = (server: TestServer, policy: Partial<TokenExchangePolicy> = {}, given: Parameters<typeof makeClient>[1] = {}) =>
  makeClient(server, { grantTypes: exchangerGrants, tokenExchange: policyOf(policy), ...given })

/** Makes a resource server with the scopes `read`, `write` and `admin`. */
export async function makeResource(
  server: TestServer,
  {
    tokenFormat = 'jwt' as 'jwt' | 'opaque',
    accessTokenTtlSeconds = 600,
    clientAccess = 'any' as Access,
    clients = [] as readonly ListedClient[],
    organizationId = undefined as string | undefined,
  } = {},
): Promise<string> {
  const identifier = `https://${randomUUID()}.example/`
  const scopes = ['read', 'write', 'admin']
  const given = { identifier, name: 'R', scopes, tokenFormat, signingAlgorithm: 'ES256', accessTokenTtlSeconds, clientAccess, clients, organizationId } as const
  await server.services.resourceServers.create(systemActor, given)
  return identifier
}

interface Subject {
  readonly resource?: string
  readonly scope?: string
  /** What the person granted the client before. */
  readonly granted?: { readonly resource: string; readonly scope: string }
  /** The organizations that the person is a member of, and which of them the token is for. */
  readonly organizations?: readonly string[]
  readonly organization?: string
}

/** Signs a person in and gives their access token: for a resource server where one is told, else for userinfo. */
export async function makeSubject(
  server: TestServer,
  relyingParty: TestClient,
  { resource, scope = 'openid email read write', granted, organizations = [], organization }: Subject = {},
) {
  const who = await makeUser(server)
  for (const organizationId of organizations) await server.services.members.add(systemActor, { organizationId, userId: who.id, role: 'member' } as never)
  const before = granted && (await relyingParty.signIn({ who, parameters: granted }))
  const parameters = { scope, ...(resource === undefined ? {} : { resource }), ...(organization === undefined ? {} : { organization }) }
  const { tokens, person } = await relyingParty.signIn({ who, person: before?.person, parameters })
  return { who, person, tokens, token: tokens.access_token, refreshToken: tokens.refresh_token ?? '', idToken: tokens.id_token ?? '' }
}

type Parameters_ = Record<string, string | readonly string[] | undefined>

/** An answer of the token endpoint. */
export interface ExchangeAnswer {
  readonly status: number
  readonly error?: string
  readonly error_description?: string
  readonly access_token: string
  readonly issued_token_type?: string
  readonly token_type?: string
  readonly expires_in: number
  readonly scope?: string
}

/** Asks for an exchange with exactly these parameters beside the grant type and the client's own. */
export async function askExchange(
  server: TestServer,
  { clientId, secret }: Pick<TestClient, 'clientId' | 'secret'>,
  parameters: Parameters_,
  headers: Record<string, string> = {},
): Promise<ExchangeAnswer> {
  const body = new URLSearchParams({ grant_type: exchangeGrant, ...(secret === '' ? { client_id: clientId } : {}) })
  for (const [name, value] of Object.entries(parameters)) for (const one of value === undefined ? [] : [value].flat()) body.append(name, one)
  const authorization: Record<string, string> =
    secret === '' ? {} : { authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`)}` }
  const response = await fetch(`${server.issuer}/oauth2/token`, { method: 'POST', body, headers: { ...authorization, ...headers } })
  const answer = (await response.json()) as Omit<ExchangeAnswer, 'status'>
  plantTokens({ ...answer })
  return { status: response.status, ...answer }
}

/** Exchanges a token; throws when it is refused. */
export async function exchange(
  server: TestServer,
  by: Pick<TestClient, 'clientId' | 'secret'>,
  token: string,
  more: Parameters_ = {},
): Promise<ExchangeAnswer> {
  const answer = await askExchange(server, by, { subject_token: token, subject_token_type: accessTokenType, ...more })
  if (answer.status !== 200) throw new Error(`exchange answered ${answer.error}: ${answer.error_description}`)
  return answer
}

/** A client's own token, which may act. */
export const actorTokenOf = async ({ configuration }: TestClient) => (await client.clientCredentialsGrant(configuration)).access_token

/** Asks introspection as the token's own client. */
export const introspect = (by: TestClient, token: string) => client.tokenIntrospection(by.configuration, token)

/** Whether the token is active to its own client. */
export const isActive = async (by: TestClient, token: string) => (await introspect(by, token)).active

/** How many round trips work takes: the least of five times, for what is remembered for a second is asked for again now and then. */
export async function tripsOf({ resources: { database } }: TestServer, work: () => Promise<unknown>): Promise<number> {
  const counts: number[] = []
  for (let n = 0; n < 5; n += 1) {
    const before = database.roundTrips()
    await work()
    counts.push(database.roundTrips() - before)
  }
  return Math.min(...counts)
}
