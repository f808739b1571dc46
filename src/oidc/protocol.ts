// The protocol's entrance, put together: stores, adapters, hooks, the engine, and what stands in front of it.
import type { Context, Middleware } from 'koa'
import type { ClientAdministration } from '../clients/administration.ts'
import type { FindAgentOwners } from '../clients/agent-owner.ts'
import { createNoteAgentUse } from '../clients/agent-use.ts'
import type { FindLook } from '../clients/branding.ts'
import type { Clients } from '../clients/clients.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { DocumentRule } from '../clients/document-address.ts'
import type { DocumentClients } from '../clients/document-clients.ts'
import type { IsReservedName } from '../clients/reserved-names.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { ResponseType } from '../clients/response-types.ts'
import type { FactorRequirement } from '../mfa/requirement.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import type { FindHeldScopes } from '../organizations/held-scopes.ts'
import type { Memberships } from '../organizations/memberships.ts'
import { apiIdentifierOf } from '../platform/api-identifier.ts'
import type { Change } from '../platform/data/change.ts'
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import type { Database } from '../platform/data/database.ts'
import type { Redis } from '../platform/data/redis.ts'
import type { CookieKeys } from '../platform/http/cookie-keys.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import type { MakeOutboundFetch } from '../platform/http/outbound.ts'
import type { Queue } from '../platform/jobs/queue.ts'
import type { Languages } from '../platform/languages.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics/metrics.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { ApiSessions } from '../sessions/api-sessions.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Users } from '../users/users.ts'
import { createVerifyAccessToken } from './access-tokens.ts'
import { createFindAccount } from './account.ts'
import { actorOf } from './actor.ts'
import { createAdapters } from './adapter.ts'
import { createAgentUse } from './agent-use.ts'
import { createAgentClaims, createFindActorClaims } from './agents.ts'
import { createPostgresArtifacts } from './artifacts-postgres.ts'
import { createRedisArtifacts } from './artifacts-redis.ts'
import { createAskedOrganizations } from './asked-organization.ts'
import { type BackchannelAnswers, createBackchannelAnswers } from './backchannel-answers.ts'
import { createBackchannelHooks } from './backchannel-hooks.ts'
import type { BackchannelRequests } from './backchannel-requests.ts'
import { createFindBrowserSession } from './browser-session.ts'
import { createClientAdapter } from './client-adapter.ts'
import { oncePerRequest } from './clients-in-request.ts'
import type { ContinueWords, Switching } from './continue-page.ts'
import { createDemands } from './demands.ts'
import { createDeviceLimit } from './device-limit.ts'
import { createLookUpDocument } from './document-lookup.ts'
import { createDocuments, type Documents } from './documents.ts'
import type { Endings } from './endings.ts'
import { createEnginePages, type ShowPages } from './engine-pages.ts'
import { createTokenExchange } from './exchange-grant.ts'
import { createLoadGrant } from './grants.ts'
import { createHear } from './hear.ts'
import { createInteractions, type Interactions } from './interaction.ts'
import { createJwtAccessTokens } from './jwt-access-tokens.ts'
import { createJwtBearer } from './jwt-bearer.ts'
import { knowJwtAccessTokens } from './jwt-in-engine.ts'
import { createKnownDetailsTypes } from './known-details-types.ts'
import { createLogoutAgain } from './logout-again.ts'
import { lookAhead } from './look-ahead.ts'
import { createMethodGuard } from './methods.ts'
import type { MutualTls } from './mutual-tls.ts'
import { createPace } from './pacing.ts'
import { createPostToGet } from './post-to-get.ts'
import { createEngine, type Engine } from './provider.ts'
import { createRefreshTokens } from './refresh-tokens.ts'
import { createRegistrationDoor } from './registration-door.ts'
import { createSecretLimit } from './secret-limit.ts'
import { createSessionArtifacts } from './session-artifacts.ts'
import type { SigningKeys } from './signing-keys.ts'
import { createWithoutStruck } from './struck-results.ts'
import { createTokenCounts } from './token-counts.ts'
import { createTokenOrganizations } from './token-organizations.ts'
import { createTokenReferences } from './token-reference.ts'
import { createTokenStandings } from './token-standing.ts'

/** The protocol, ready to be mounted. */
export interface Protocol {
  /** In the order they are to be used. */
  readonly middleware: readonly Middleware[]
  readonly documents: Documents
  readonly engine: Engine
  readonly interactions: Interactions
  /** What clients ask people to approve elsewhere. */
  readonly backchannel: BackchannelAnswers
  /** Verifies access tokens for the management API. */
  readonly verifyAccessToken: ReturnType<typeof createVerifyAccessToken>
  readonly findBrowserSession: ReturnType<typeof createFindBrowserSession>
}

interface Needs {
  readonly issuer: string
  readonly isDevelopment: boolean
  readonly outbound: MakeOutboundFetch
  readonly mutualTls?: MutualTls | undefined
  readonly database: Database
  readonly redis?: Redis
  readonly secrets: Secrets
  readonly log: Log
  readonly metrics?: Metrics | undefined
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
  readonly newId: () => string
  readonly change: Change
  readonly feed: ChangeFeed
  readonly limit: MakeLimit
  readonly clients: Clients
  readonly clientAdministration: Pick<ClientAdministration, 'remove'>
  readonly findAgentOwners: FindAgentOwners
  readonly documentClients: DocumentClients
  readonly documentRule: DocumentRule
  readonly isReservedName: IsReservedName
  readonly clientRegistration: 'open' | 'token' | 'off'
  readonly responseTypes: readonly ResponseType[]
  readonly resourceServers: ResourceServers
  readonly detailsTypes: DetailsTypes
  readonly findHeldScopes: FindHeldScopes
  readonly users: Users
  readonly memberships: Memberships
  readonly sessions: Sessions
  readonly endings: Endings
  readonly apiSessions: Pick<ApiSessions, 'endOwn'>
  readonly secondFactor: SecondFactor
  readonly factorRequirement: FactorRequirement
  readonly backchannelRequests: BackchannelRequests
  readonly queue: Queue
  readonly signingKeys: SigningKeys
  readonly cookieKeys: CookieKeys
  readonly show: ShowPages
  readonly stylesheet: string
  readonly continueWords: (ctx: Context, switching?: Switching) => ContinueWords
  readonly languages: Languages
  readonly findLook: FindLook
  readonly findDeviceId: (ctx: Context) => string | undefined
  readonly findLanguage: (ctx: Context) => string
}

/** Puts it together. The signing keys must be there. */
export const createProtocol = async (given: Needs): Promise<Protocol> => {
  const needs = { ...given, clients: oncePerRequest(given.clients) }
  const { issuer, database, redis, secrets, clients, sessions, apiSessions, randomBytes } = needs
  const hear = createHear(needs.findLook)
  const apiIdentifier = apiIdentifierOf(issuer)
  const durable = createPostgresArtifacts(database)
  const volatile = redis ? createRedisArtifacts(redis, needs.newId) : durable
  const ahead = lookAhead({ durable, volatile })
  const refreshTokens = createRefreshTokens({ database, durable: ahead.durable, clients, randomBytes })
  const sessionArtifacts = createSessionArtifacts({
    database,
    durable: ahead.durable,
    endings: needs.endings,
    findDeviceId: needs.findDeviceId,
    findLanguage: needs.findLanguage,
    onSignedIn: (tx, { uid, accountId, ...session }) => sessions.begin(tx, { ...session, sid: uid, userId: accountId }),
    onExtended: ({ uid, expiresInSeconds }) => sessions.extend({ sid: uid, expiresInSeconds }),
    onSignedOut: ({ uid, accountId }) => apiSessions.endOwn({ ...actorOf(), kind: 'user', id: accountId, userId: accountId }, { userId: accountId, sid: uid }),
  })
  const adapters = createAdapters({
    ...ahead,
    sessions: sessionArtifacts,
    refreshTokens,
    clients: createClientAdapter(needs),
    backchannelRequests: needs.backchannelRequests,
    withoutStruck: createWithoutStruck(needs.users),
    secrets,
  })
  const tokenOrganizations = createTokenOrganizations(needs)
  const askedOrganizations = createAskedOrganizations(needs)
  const demands = createDemands({ clients, secondFactor: needs.secondFactor, requirement: needs.factorRequirement })
  const backchannel = createBackchannelHooks(needs)
  const findAccount = backchannel.withStandIns(
    createFindAccount({ users: needs.users, demands, tokenOrganizations, findActorClaims: createFindActorClaims(clients) }),
  )
  const tokenReferences = createTokenReferences(secrets)
  const tokenStandings = createTokenStandings({ database, durable })
  const jwtAccessTokens = createJwtAccessTokens({ ...needs, references: tokenReferences, standings: tokenStandings })
  const jwt = { jwtAccessTokens, tokenStandings, now: needs.now }
  const exchange = createTokenExchange({ ...needs, ...jwt, findAccount, demands, tokenOrganizations, apiIdentifier })
  const jwtBearer = createJwtBearer(needs)
  const engine = await createEngine({
    ...needs,
    isSecure: new URL(issuer).protocol === 'https:',
    adapters,
    volatile,
    limitSecret: createSecretLimit({ limit: needs.limit, now: needs.now }),
    refreshTokens,
    pages: createEnginePages({ ...needs, hear }),
    hear,
    fetch: needs.outbound(),
    demands,
    registration: needs,
    hasDocumentClients: needs.documentRule.isOn,
    lookUpDocument: createLookUpDocument(needs),
    askedOrganizations,
    tokenClaims: [tokenOrganizations.claims, exchange.claims, createAgentClaims(clients), jwtBearer.claims],
    tokenReferences,
    extensions: [
      provider => knowJwtAccessTokens(provider, jwt),
      exchange.extend,
      jwtBearer.extend,
      createAgentUse({ ...needs, noteAgentUse: createNoteAgentUse(database) }),
    ],
    backchannel,
    pace: createPace(needs),
    findAccount,
    loadExistingGrant: createLoadGrant({ durable, clients, askedOrganizations, apiIdentifier }),
  })
  const documents = createDocuments({ ...needs, engine, maxAgeSeconds: needs.signingKeys.jwksMaxAgeSeconds })
  return {
    middleware: [
      createMethodGuard(),
      documents.middleware,
      createPostToGet(),
      createLogoutAgain(),
      createDeviceLimit(needs.limit),
      createRegistrationDoor(needs.clientRegistration),
      createKnownDetailsTypes(needs.detailsTypes),
      createTokenCounts(needs.metrics),
      engine.middleware,
    ],
    documents,
    engine,
    interactions: createInteractions({ ...needs, engine, demands, hear, noteUse: clients.noteUse }),
    backchannel: createBackchannelAnswers({ ...needs, engine, demands }),
    verifyAccessToken: createVerifyAccessToken({ clients, audience: apiIdentifier, jwtAccessTokens }),
    findBrowserSession: createFindBrowserSession({ engine, isSecure: new URL(issuer).protocol === 'https:' }),
  }
}
