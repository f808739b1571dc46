// What is different about agents in tokens: whoever they are for, the token says who acts (RFC 8693 §4.1).
import { errors } from 'oidc-provider'
import { isForeign } from '../clients/agent.ts'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { Memberships } from '../organizations/memberships.ts'
import type { Actor } from './exchange.ts'
import type { TokenClaims } from './token-claims.ts'

/** Puts `act` into every access token that an agent gets for a person; an exchange says by itself who acts. */
export const createAgentClaims =
  (clients: Pick<Clients, 'find'>): TokenClaims =>
  async (_ctx, token) => {
    if (token.kind !== 'AccessToken' || !token.clientId || ('gty' in token && token.gty === 'token_exchange')) return undefined
    const registration = await clients.find(token.clientId)
    return registration?.isAgent ? { act: actOfAgent(registration) } : undefined
  }

/** An agent as who acts. */
export const actOfAgent = ({ clientId }: Pick<Registration, 'clientId'>): Actor => ({ sub: clientId })

/** Throws `invalid_request` for a token of somebody for whom the agent does not act: a person's acts for them, an organization's for its members. */
export const verifyActsFor = async (registration: Registration, userId: string, memberships: Pick<Memberships, 'has'>): Promise<void> => {
  if (!registration.isAgent) return
  const { organizationId } = registration
  const isTheirs = organizationId === undefined ? !isForeign(registration, userId) : await memberships.has({ userId, organizationId })
  if (!isTheirs) throw new errors.InvalidRequest('the agent does not act for this person')
}
