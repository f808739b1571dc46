// What introspection (RFC 7662) tells of a token, and to whom.
import type { AccessToken, Client, ClientCredentials, Configuration, KoaContextWithOIDC, RefreshToken } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { isFromBefore } from '../platform/access-end.ts'
import { membershipOf } from './account.ts'
import { tellActor } from './agents.ts'
import { tellPresentRights } from './present-rights.ts'
import { isForIt, isForLiving } from './resources.ts'

interface Needs {
  readonly clients: Pick<Clients, 'find'>
  readonly registrationOf: (client: object) => Registration | undefined
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly findAccount: NonNullable<Configuration['findAccount']>
}

/**
 * Makes the engine's `allowedPolicy`. A living user's token is told of to its own client where that authenticates, to the confidential clients of the same organization,
 * and to the resource server it is for.
 */
export const introspectionPolicy =
  ({ clients, registrationOf, resourceServers, findAccount }: Needs) =>
  async (ctx: KoaContextWithOIDC, client: Client, token: AccessToken | ClientCredentials | RefreshToken): Promise<boolean> => {
    // It is refused afterwards, whatever the token (refusals.ts).
    if (client.clientAuthMethod === 'none') return false
    // A token ends with the client that it was issued to, whoever asks.
    const issuedTo = await clients.find(token.clientId ?? '')
    if (!issuedTo || isFromBefore(issuedTo, token.iat)) return false
    tellActor(token, issuedTo)
    const account = 'accountId' in token && token.accountId ? await findAccount(ctx, token.accountId, token) : undefined
    if ('accountId' in token && token.accountId && !account) return false
    if (!(await isForLiving(token, resourceServers))) return false
    if (token.kind === 'AccessToken' && account) {
      const server = typeof token.aud === 'string' ? await resourceServers.find(token.aud) : undefined
      tellPresentRights(token, { membership: membershipOf(account), server })
    }
    if (token.clientId === client.clientId) return true
    if (await isForIt(token, client, resourceServers)) return true
    const own = registrationOf(client)?.organizationId
    return own !== undefined && own === issuedTo.organizationId
  }
