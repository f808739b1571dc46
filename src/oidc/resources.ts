// Resource indicators (RFC 8707): which resource servers a client may name, and what their access tokens are like (RFC 9068).
import { type AccessToken, type Client, type ClientCredentials, type Configuration, errors, type KoaContextWithOIDC, type RefreshToken } from 'oidc-provider'
import { isPersonal, isReading } from '../clients/agent.ts'
import type { Registration } from '../clients/client.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { ResourceServer } from '../clients/resource-server.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { FindHeldScopes } from '../organizations/held-scopes.ts'
import { isFromBefore } from '../platform/access-end.ts'
import { apiIdentifierOf } from '../platform/api-identifier.ts'
import { askedTypes } from './asked-details.ts'
import type { AskedOrganizations } from './asked-organization.ts'
import { verifyOfResources } from './asked-scope.ts'
import { giveDefaultScope } from './default-scope.ts'
import { isForItself, ownAccess } from './own-access.ts'
import { isReachable } from './resource-guests.ts'
import { roleHolderOf } from './role-holder.ts'
import { sourceOf } from './token-claims.ts'

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>

interface Needs {
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly detailsTypes: Pick<DetailsTypes, 'find'>
  readonly findHeldScopes: FindHeldScopes
  readonly askedOrganizations: Pick<AskedOrganizations, 'find'>
  readonly registrationOf: (client: object) => Registration | undefined
}

/** Makes the engine's hooks. A resource that is unknown, disabled or not for this client is `invalid_target`. */
export const resourceIndicators = (needs: Needs): ResourceIndicators => ({
  enabled: true,
  // RFC 9396 §3: what is asked for in particular says which resource server is meant.
  defaultResource: async (ctx, _client, oneOf) => oneOf ?? (await resourcesOfDetails(ctx, needs)),
  // A client that asked for a resource gets its token, also where the token request does not name it again; userinfo is for tokens without one.
  useGrantedResource: async () => true,
  getResourceServerInfo: async (ctx, indicator, client) => {
    const server = await needs.resourceServers.find(indicator)
    if (!server || !(await isReachable(ctx, { server, registration: needs.registrationOf(client), askedOrganizations: needs.askedOrganizations })))
      throw new errors.InvalidTarget()
    mustBeSinceEnd(ctx, server)
    if (!server.allowsOfflineAccess && grantTypeOf(ctx) === 'refresh_token') throw new errors.InvalidTarget('the resource is not for offline access')
    const scopes = await scopesFor(ctx, { server, client, needs })
    verifyOfResources(ctx, { indicator, scopes })
    giveDefaultScope(ctx, { identifier: server.identifier, scopes })
    return {
      audience: server.identifier,
      scope: scopes.join(' '),
      accessTokenTTL: server.accessTokenTtlSeconds,
      ...(server.tokenFormat === 'jwt'
        ? { accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: server.signingAlgorithm } } }
        : { accessTokenFormat: 'opaque' as const }),
    }
  },
})

/** Whether a refresh token leads anywhere: to userinfo, or to one resource that allows offline access. */
export const isRefreshable = async (
  { resource }: { readonly resource?: string | readonly string[] | undefined },
  resourceServers: Pick<ResourceServers, 'find'>,
) => {
  const indicators = [resource ?? []].flat()
  if (indicators.length === 0) return true
  const servers = await Promise.all(indicators.map(indicator => resourceServers.find(indicator)))
  return servers.some(server => server?.allowsOfflineAccess)
}

/** Whether what a token is for is still there, and did not end since it was issued; a refresh token may be for several, of which one is enough. */
export const isForLiving = async (token: IssuedToken, resourceServers: Pick<ResourceServers, 'find'>): Promise<boolean> => {
  const indicators = token.kind === 'RefreshToken' ? [token.resource ?? []].flat() : [token.aud ?? []].flat()
  if (indicators.length === 0) return true
  const servers = await Promise.all(indicators.map(indicator => resourceServers.find(indicator)))
  return servers.some(server => server !== undefined && !isFromBefore(server, issuedAtOf(token)))
}

type IssuedToken = AccessToken | ClientCredentials | RefreshToken

// A refresh token that was rotated is as old as the first.
const issuedAtOf = (token: { readonly iat?: number | undefined; readonly iiat?: number | undefined }) => token.iiat ?? token.iat

// What was given before the resource server ended gives nothing there any more: the client has to send the person again.
const mustBeSinceEnd = (ctx: KoaContextWithOIDC, server: ResourceServer): void => {
  const source = grantTypeOf(ctx) === undefined ? undefined : sourceOf(ctx.oidc)
  if (source && isFromBefore(server, issuedAtOf(source))) throw new errors.InvalidGrant('what it is for ended since')
}

/** Whether a client stands for the resource server that the token is for (RFC 7662 §2.1). */
export const isForIt = async (token: object, { clientId }: Client, resourceServers: Pick<ResourceServers, 'find'>): Promise<boolean> => {
  const server = 'aud' in token && typeof token.aud === 'string' ? await resourceServers.find(token.aud) : undefined
  return server?.clients.some(one => one.clientId === clientId && one.introspects) ?? false
}

const grantTypeOf = ({ oidc }: KoaContextWithOIDC) => (oidc.route === 'token' ? oidc.params?.grant_type : undefined)

const resourcesOfDetails = async ({ oidc }: KoaContextWithOIDC, { detailsTypes }: Needs): Promise<string | string[]> => {
  const found = await Promise.all(askedTypes(oidc.params?.authorization_details).map(type => detailsTypes.find(type)))
  const identifiers = [...new Set(found.flatMap(type => (type ? [type.identifier] : [])))]
  return identifiers.length === 1 && identifiers[0] !== undefined ? identifiers[0] : identifiers
}

interface Asking {
  readonly server: ResourceServer
  readonly client: Client
  readonly needs: Needs
}

// The scopes that the client may ask for at all; where a token is issued to a person, those of them that the person holds.
const scopesFor = async (ctx: KoaContextWithOIDC, { server, client, needs }: Asking): Promise<readonly string[]> => {
  const grantType = grantTypeOf(ctx)
  const registration = needs.registrationOf(client)
  const access = isForItself(ctx) ? ownAccess(server, registration) : server.userAccess
  const listed = server.clients.find(one => one.clientId === client.clientId)
  if (access === 'listed' && !listed) throw new errors.InvalidTarget('the client may not ask for this resource')
  // What a person made for themselves reads our own API for them, and changes nothing there: no administrator vouched for it.
  const isReader = isPersonal(registration) && server.identifier === apiIdentifierOf(ctx.oidc.issuer)
  const scopes = server.scopes.filter(scope => (access === 'any' || listed?.scopes.includes(scope)) && (!isReader || isReading(scope)))
  if (!server.requiresPermissions || grantType === undefined || isForItself(ctx)) return scopes
  const holder = roleHolderOf(ctx)
  if (!holder) return []
  // What an organization's resource server allows is decided by that organization's roles alone.
  if (server.organizationId !== undefined && server.organizationId !== holder.organizationId) return []
  return needs.findHeldScopes({ ...holder, resource: server.identifier, scopes })
}
