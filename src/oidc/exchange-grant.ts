// Token exchange (RFC 8693): registers the grant with the engine, and takes a request from its parameters to its answer.
import type Provider from 'oidc-provider'
import { type Configuration, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider'
import { isPersonal } from '../clients/agent.ts'
import type { Clients } from '../clients/clients.ts'
import { exchangeGrantType } from '../clients/grant-types.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { multiFactor } from '../mfa/authenticator.ts'
import type { Memberships } from '../organizations/memberships.ts'
import type { Change } from '../platform/data/change.ts'
import { twoFactors } from './acr.ts'
import { actorOf } from './actor.ts'
import { actOfAgent, findActingAgents, verifyActsFor } from './agents.ts'
import type { Demands } from './demands.ts'
import { type Actor, exchangeParameters, type Presented, repeatable, tokenTypes } from './exchange.ts'
import { claimsOf, makeToken } from './exchange-issue.ts'
import { createFindPresented } from './exchange-presented.ts'
import { verifyProof } from './exchange-proof.ts'
import { type Exchanger, scopeOf, targetOf, verifyMayAct, verifyMayExchange, verifyPresented } from './exchange-rules.ts'
import type { JwtAccessTokens } from './jwt-access-tokens.ts'
import type { ExtendEngine } from './provider.ts'
import { tellRoleHolder } from './role-holder.ts'
import type { TokenClaims } from './token-claims.ts'
import type { TokenOrganizations } from './token-organizations.ts'
import type { TokenStandings } from './token-standing.ts'

interface Needs {
  readonly clients: Clients
  readonly change: Change
  readonly findAccount: FindAccount
  readonly demands: Pick<Demands, 'isOutdated'>
  readonly memberships: Pick<Memberships, 'find' | 'has'>
  readonly tokenOrganizations: Pick<TokenOrganizations, 'standingOf'>
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly jwtAccessTokens: JwtAccessTokens
  readonly tokenStandings: TokenStandings
  /** Our own API. */
  readonly apiIdentifier: string
  readonly now: () => Date
}

/** The grant, and what its tokens say. */
export interface TokenExchange {
  readonly extend: ExtendEngine
  readonly claims: TokenClaims
}

interface Parts extends Needs {
  readonly provider: Provider
  readonly configuration: Configuration
}

/** Makes it. */
export const createTokenExchange = (needs: Needs): TokenExchange => {
  const told = new WeakMap<object, Record<string, unknown>>()
  const extend: ExtendEngine = (provider, configuration) => {
    const parts = { ...needs, provider, configuration }
    const decide = createDecide(parts)
    const handle = async (ctx: KoaContextWithOIDC) => {
      const { act, ...decision } = await decide(ctx)
      const { subject, target, scope, organizationId } = decision
      const token = await makeToken(provider, ctx, decision)
      told.set(token, claimsOf(subject, act))
      const accessToken = await token.save()
      await needs.change(actorOf(), async (_tx, record) => {
        const names = { client_id: token.clientId, subject_client_id: subject.client.clientId, user_id: token.accountId, actor: act?.sub }
        record('token.exchanged', { ...names, audience: target, scope }, { organizationId })
      })
      // RFC 8693 §2.2.1.
      ctx.body = {
        access_token: accessToken,
        issued_token_type: tokenTypes.accessToken,
        token_type: token.tokenType,
        expires_in: token.expiration,
        scope: scope === '' ? undefined : scope,
      }
    }
    provider.registerGrantType(exchangeGrantType, handle, [...exchangeParameters], [...repeatable])
  }
  return { extend, claims: (_ctx, token) => told.get(token) }
}

const createDecide = (parts: Parts) => {
  const { clients, apiIdentifier } = parts
  const findPresented = createFindPresented(parts)
  return async (ctx: KoaContextWithOIDC) => {
    const params = ctx.oidc.params ?? {}
    const exchanger = await exchangerOf(ctx, clients)
    const hasActor = params.actor_token !== undefined
    verifyParameters(params)
    const { registration } = exchanger
    // An agent never becomes the person: what it gets says that it acts, whether it says so or not.
    verifyMayExchange(exchanger, { hasActor: hasActor || registration.isAgent })
    const [subject, actor] = await Promise.all([findPresented(ctx, 'subject_token'), hasActor ? findPresented(ctx, 'actor_token') : undefined])
    verifyPresented(exchanger, { subject, actor })
    const named = actor && (await actOf(parts, { ctx, actor }))
    verifyMayAct(subject.token.extra?.may_act, named ?? { sub: registration.clientId, client_id: registration.clientId })
    const act = registration.isAgent ? actOfAgent(registration) : named
    const userId = subject.link.account ?? ''
    await verifyActsFor(registration, userId, parts.memberships)
    const organizationId = await organizationOf(parts, { subject, asked: params.organization })
    const hasTwoFactors = subject.token.extra?.acr === twoFactors
    await verifyMayEnter(parts, { userId, hasTwoFactors, organizationId, clientId: registration.clientId })
    tellRoleHolder(ctx, organizationId === undefined ? undefined : { userId, organizationId, hasTwoFactors })
    const target = targetOf(params, subject)
    const resourceServer = target === undefined ? undefined : await resourceServerOf(parts, { ctx, target })
    const scopes = typeof params.scope === 'string' ? params.scope.split(' ').filter(Boolean) : undefined
    const agents = await findActingAgents(clients, { client: subject.client, act: subject.token.extra?.act })
    const targetScopes: ReadonlySet<string> = resourceServer?.scopes ?? new Set()
    const scope = scopeOf(exchanger, subject, { target, targetScopes, scopes, apiIdentifier, isReader: agents.some(isPersonal) })
    const proven = await verifyProof(ctx, parts, actor ? [subject, actor] : [subject])
    ctx.oidc.entity('Account', await parts.findAccount(ctx, userId))
    const now = Math.floor(parts.now().getTime() / 1000)
    return { subject, actor, act, now, target, scope, organizationId, resourceServer, ...proven }
  }
}

const exchangerOf = async ({ oidc }: KoaContextWithOIDC, clients: Clients): Promise<Exchanger> => {
  const registration = await clients.find(oidc.client?.clientId ?? '')
  const policy = registration?.tokenExchange
  if (!registration || !policy) throw new errors.UnauthorizedClient('this client may not exchange tokens')
  return { registration, policy, isPublic: oidc.client?.clientAuthMethod === 'none' }
}

// RFC 8693 §2.1.
const verifyParameters = (params: Readonly<Record<string, unknown>>): void => {
  const { actor_token: actorToken, actor_token_type: actorTokenType, requested_token_type: requested } = params
  if (actorToken === undefined && actorTokenType !== undefined) throw new errors.InvalidRequest('actor_token_type must not be given without actor_token')
  if (requested !== undefined && requested !== tokenTypes.accessToken) throw new errors.InvalidRequest('requested_token_type is not supported')
}

// Who acts is known to the exchanging client by the subject that it knows them by.
const actOf = async ({ configuration }: Parts, { ctx, actor }: { ctx: KoaContextWithOIDC; actor: Presented }): Promise<Actor> => {
  const { client } = ctx.oidc
  const { account } = actor.link
  if (account === undefined || !client) return { sub: actor.client.clientId, client_id: actor.client.clientId }
  const sub = client.subjectType === 'pairwise' ? await configuration.pairwiseIdentifier?.(ctx, account, client) : account
  return { sub: sub ?? account }
}

const resourceServerOf = async ({ provider, configuration }: Parts, { ctx, target }: { ctx: KoaContextWithOIDC; target: string }) => {
  const { client } = ctx.oidc
  const info = client && (await configuration.features?.resourceIndicators?.getResourceServerInfo?.(ctx, target, client))
  if (!info) throw new errors.InvalidTarget()
  return new provider.ResourceServer(target, info)
}

interface Entering {
  readonly userId: string
  readonly hasTwoFactors: boolean
  readonly clientId: string
  readonly organizationId: string | undefined
}

// What a sign-in to the exchanging client, for that organization, would ask: who is no member of its organization has no token of a
// client for members alone, and a second factor that is required the person has to prove. No exchange stands for either.
const verifyMayEnter = async ({ demands, tokenOrganizations }: Parts, { userId, hasTwoFactors, clientId, organizationId }: Entering): Promise<void> => {
  const [{ isOver }, isOutdated] = await Promise.all([
    tokenOrganizations.standingOf({ userId, clientId }),
    demands.isOutdated({ userId, amr: hasTwoFactors ? [multiFactor] : [], clientId, organizationId }),
  ])
  if (isOver || isOutdated) throw new errors.InvalidRequest('subject_token is invalid')
}

// An organization may be named, by its id or its slug as an authorization request names it; it is the subject token's or refused.
const organizationOf = async ({ memberships }: Parts, { subject, asked }: { subject: Presented; asked: unknown }): Promise<string | undefined> => {
  const { account: userId = '', organization } = subject.link
  if (asked === undefined && organization === undefined) return undefined
  const named = typeof asked === 'string' ? asked.toLowerCase() : organization
  const membership = named === undefined ? undefined : await memberships.find({ userId, organization: named })
  if (!membership) throw new errors.InvalidRequest('the person does not belong to the organization')
  if (membership.organizationId !== organization) throw new errors.InvalidRequest('organization cannot be another than that of subject_token')
  return organization
}
