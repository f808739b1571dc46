// Finds the tokens that are presented for an exchange: our own access tokens, and only while everything they stand on lives.
import type Provider from 'oidc-provider'
import { type AccessToken, type ClientCredentials, errors, type FindAccount, type Grant, type KoaContextWithOIDC } from 'oidc-provider'
import type { Clients } from '../clients/clients.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { isFromBefore } from '../platform/access-end.ts'
import { hashOf } from '../platform/secrets.ts'
import { type Presented, tokenTypes } from './exchange.ts'
import type { JwtAccessTokens } from './jwt-access-tokens.ts'
import { isStructured, toModel } from './jwt-in-engine.ts'
import type { Link } from './lineage.ts'
import { isForLiving } from './resources.ts'
import { type TokenStandings, tombstoneOf } from './token-standing.ts'

interface Needs {
  readonly provider: Provider
  readonly jwtAccessTokens: JwtAccessTokens
  readonly tokenStandings: TokenStandings
  readonly clients: Pick<Clients, 'find'>
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly findAccount: FindAccount
  readonly now: () => Date
}

/** The name of the parameter, for what is told. */
type Role = 'subject_token' | 'actor_token'

/** Makes the finder. It throws `invalid_request` for whatever is wrong with a token (RFC 8693 §2.2.2), in the same words. */
export const createFindPresented = (needs: Needs) => {
  const { provider, clients, resourceServers, findAccount } = needs
  return async (ctx: KoaContextWithOIDC, role: Role): Promise<Presented> => {
    const value = parameter(ctx, role)
    const type = parameter(ctx, `${role}_type`)
    // An ID token says who signed in, not what its holder may do; a refresh token is redeemed by its own grant.
    if (type !== tokenTypes.accessToken && type !== tokenTypes.jwt) throw new errors.InvalidRequest(`${role}_type is not supported`)
    const refused = new errors.InvalidRequest(`${role} is invalid`)
    if (type === tokenTypes.jwt && !isStructured(value)) throw refused
    const token = await (isStructured(value) ? findJwt(needs, value) : findOpaque(provider, value))
    if (!token?.isValid || !token.clientId) throw refused
    const accountId = token.kind === 'AccessToken' ? token.accountId : undefined
    const grantId = 'grantId' in token ? token.grantId : undefined
    const [client, grant] = await Promise.all([clients.find(token.clientId), grantId ? provider.Grant.find(grantId) : undefined])
    if (!client || isFromBefore(client, token.iat) || !(await isForLiving(token, resourceServers))) throw refused
    if (token.kind === 'AccessToken') {
      if (!accountId || grant?.accountId !== accountId || grant.clientId !== token.clientId) throw refused
      if (!(await findAccount(ctx, accountId, token))) throw refused
    }
    return { token, grant, client, link: linkOf(token, { value, grant }) }
  }
}

const parameter = (ctx: KoaContextWithOIDC, name: string): string => {
  const value = ctx.oidc.params?.[name]
  if (typeof value !== 'string' || value === '') throw new errors.InvalidRequest(`missing required parameter ${name}`)
  return value
}

const findJwt = async (needs: Needs, value: string) => {
  const found = await needs.jwtAccessTokens.find(value)
  return found && toModel(needs.provider, found, needs)
}

const findOpaque = async (provider: Provider, value: string): Promise<AccessToken | ClientCredentials | undefined> => {
  const [ofPerson, ofClient] = await Promise.all([provider.AccessToken.find(value), provider.ClientCredentials.find(value)])
  return ofPerson ?? ofClient
}

const linkOf = (token: AccessToken | ClientCredentials, { value, grant }: { value: string; grant: Grant | undefined }): Link => ({
  client: token.clientId ?? '',
  ...(isStructured(value) ? { tombstone: tombstoneOf(token.jti).toString('hex') } : { token: hashOf(token.kind, value).toString('hex') }),
  ...(grant && { account: grant.accountId, grant: hashOf('Grant', grant.jti).toString('hex'), organization: grant.organizationId }),
  ...(token.kind === 'AccessToken' && token.expiresWithSession ? { session: token.sessionUid, sessionGrant: token.grantId } : {}),
})
