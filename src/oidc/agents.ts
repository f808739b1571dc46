// What is different about agents in tokens: whoever they are for, the token says who acts (RFC 8693 §4.1).
import { type AccessToken, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { isForeign } from '../clients/agent.ts'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { Memberships } from '../organizations/memberships.ts'
import { isObject } from '../platform/values.ts'
import type { Actor } from './exchange.ts'
import type { TokenClaims } from './token-claims.ts'

/** Puts `act` into every access token that an agent gets for a person; an exchange says by itself who acts. */
export const createAgentClaims = (clients: Pick<Clients, 'find'>): TokenClaims => {
  const claimsOf = async (clientId: string) => {
    const registration = await clients.find(clientId)
    return registration?.isAgent ? { act: actOfAgent(registration) } : undefined
  }
  return (_ctx, token) =>
    token.kind !== 'AccessToken' || !token.clientId || ('gty' in token && token.gty === 'token_exchange') ? undefined : claimsOf(token.clientId)
}

/** Tells who acts, as a claim of an account: to the client in its ID token, and at userinfo to whoever shows a token that says so. */
export type FindActorClaims = (ctx: KoaContextWithOIDC, token: { readonly kind: string; readonly extra?: AccessToken['extra'] } | undefined) => Promise<object>

/** Makes it. */
export const createFindActorClaims =
  (clients: Pick<Clients, 'find'>): FindActorClaims =>
  async ({ oidc }, token) => {
    if (token?.kind === 'AccessToken') return token.extra?.act === undefined ? {} : { act: token.extra.act }
    const registration = oidc.client && (await clients.find(oidc.client.clientId))
    return registration?.isAgent ? { act: actOfAgent(registration) } : {}
  }

/** An agent as who acts. */
export const actOfAgent = ({ clientId }: Pick<Registration, 'clientId'>): Actor => ({ sub: clientId })

/** Has introspection tell of an agent's refresh token, too, who acts: the engine keeps no claims of it. */
export const tellActor = (token: { readonly kind: string }, registration: Registration): void => {
  if (token.kind === 'RefreshToken' && registration.isAgent) Object.assign(token, { extra: { act: actOfAgent(registration) } })
}

/** The agents by which a token came to be: the client that it was issued to, and the actors that it names (RFC 8693 §4.1), the last one first. */
export const findActingAgents = async (clients: Pick<Clients, 'find'>, { client, act }: Acted): Promise<readonly Registration[]> => {
  const actors = subjectsOf(act).filter(sub => sub !== client.clientId)
  const found = await Promise.all(actors.map(clientId => clients.find(clientId)))
  return [client, ...found].filter(one => one !== undefined).filter(({ isAgent }) => isAgent)
}

interface Acted {
  /** The client that the token was issued to. */
  readonly client: Registration
  /** Its claim of that name. */
  readonly act: unknown
}

const subjectsOf = (act: unknown): readonly string[] => {
  if (!isObject(act)) return []
  return [...(typeof act.sub === 'string' ? [act.sub] : []), ...subjectsOf(act.act)]
}

/** Throws `invalid_request` for a token of somebody for whom the agent does not act: a person's acts for them, an organization's for its members. */
export const verifyActsFor = async (registration: Registration, userId: string, memberships: Pick<Memberships, 'has'>): Promise<void> => {
  if (!registration.isAgent) return
  const { organizationId } = registration
  const isTheirs = organizationId === undefined ? !isForeign(registration, userId) : await memberships.has({ userId, organizationId })
  if (!isTheirs) throw new errors.InvalidRequest('the agent does not act for this person')
}
