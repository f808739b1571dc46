// Access tokens for our own API (RFC 9068): verified as introspection would, and asked whether their client still lives.
import { isForeign } from '../clients/agent.ts'
import type { Clients } from '../clients/clients.ts'
import { isFromBefore } from '../platform/access-end.ts'
import { twoFactors } from './acr.ts'
import { findActingAgents } from './agents.ts'
import type { JwtAccessTokens } from './jwt-access-tokens.ts'

interface Needs {
  readonly audience: string
  readonly jwtAccessTokens: JwtAccessTokens
  readonly clients: Clients
}

/** Makes the verification. Tokens bound to a key are refused: the API takes bearer tokens alone. */
export const createVerifyAccessToken =
  ({ audience, jwtAccessTokens, clients }: Needs) =>
  async (token: string) => {
    const found = await jwtAccessTokens.find(token, { audience })
    if (!found || found.claims.cnf) return undefined
    const { claims, reference } = found
    const client = await clients.find(claims.client_id)
    if (!client || isFromBefore(client, claims.iat) || (reference && isForeign(client, reference.accountId))) return undefined
    const [agent] = await findActingAgents(clients, { client, act: claims.act })
    return {
      clientId: claims.client_id,
      userId: reference?.accountId,
      scopes: claims.scope.split(' ').filter(Boolean),
      registeredScopes: client.apiPermissions,
      isFirstParty: client.isFirstParty,
      organizationId: client.organizationId,
      isMembersOnly: client.isMembersOnly,
      agentId: agent?.clientId,
      boundTo: claims.org_id,
      hasTwoFactors: claims.acr === twoFactors,
    }
  }
