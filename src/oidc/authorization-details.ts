// Rich authorization requests (RFC 9396): which types there are, what a client may ask, and what a token carries of it.
//
// - A type is of one resource server. What is asked without `resource` is for that one; a token carries the details of its audience alone.
// - The person is shown the details each time, also by the operator's own clients: nothing of them is remembered for another request.
// - A client asks for itself only what it is listed for (`client_access`).
// - A token request may narrow (§6): the same fields, where lists of what may be done hold less. Anything else is no part of the grant.
import {
  type RichAuthorizationRequestsActiveConfiguration as Active,
  type AuthorizationDetail,
  type Client,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { detailsFault } from '../clients/details-schema.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import { nearnessOf, type ResourceServer } from '../clients/resource-server.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import type { FindHeldScopes } from '../organizations/held-scopes.ts'
import { askedDetails } from './asked-details.ts'
import { isForItself, ownAccess } from './own-access.ts'
import { roleHolderOf } from './role-holder.ts'

interface Needs {
  readonly resourceServers: Pick<ResourceServers, 'find'>
  readonly detailsTypes: DetailsTypes
  readonly findHeldScopes: FindHeldScopes
  readonly registrationOf: (client: object) => Registration | undefined
}

const maxDetails = 10
const maxCharacters = 10_000

/**
 * Makes the engine's hooks. What is wrong is `invalid_authorization_details` (§5). The engine copies plain objects once and for all;
 * this one has no prototype, so that its table of types stays the one that is made here.
 */
export const richAuthorizationRequests = (needs: Needs): Feature => Object.assign(Object.create(null), featureOf(needs))

type Feature = Active & Required<Pick<Active, 'authorizationDetailsForIntrospection'>>

const featureOf = (needs: Needs): Feature => ({
  enabled: true,
  types: typesOf(needs),
  // The engine comes here only after the person consented to what this request asks.
  authorizationDetailsForGrantSource: async ctx => askedDetails(ctx.oidc.params?.authorization_details),
  authorizationDetailsForAccessToken: async (ctx, token, source) => {
    const asked = askedDetails(ctx.oidc.params?.authorization_details)
    const granted = source === undefined ? asked : (source.rar ?? [])
    if (!asked.every(detail => granted.some(one => isWithin(detail, one))))
      throw new errors.InvalidAuthorizationDetails('the authorization details were not granted')
    const audience = token.resourceServer?.identifier()
    return filtered(asked.length > 0 ? asked : granted, async type => {
      if (audience === undefined || (await needs.detailsTypes.find(type))?.identifier !== audience) return false
      const server = await needs.resourceServers.find(audience)
      if (!server || !mayAsk(ctx, { server, type, registration: needs.registrationOf(ctx.oidc.client ?? {}) })) return false
      return holdsAny(ctx, { server, needs })
    })
  },
  authorizationDetailsForIntrospection: async (_ctx, token) => filtered(token.rar ?? [], async type => (await needs.detailsTypes.find(type)) !== undefined),
})

/**
 * What the engine reads as its table of types. They come and go in the store: it is told that any type may be there, and the one
 * validation asks; its list of all names, which it holds client metadata against, is the last that was read.
 */
const typesOf = (needs: Needs): Record<string, { validate: RichValidate }> => {
  const entry = { validate: createValidate(needs) }
  const isName = (key: string | symbol): key is string => typeof key === 'string' && !(key in Object.prototype)
  return new Proxy<Record<string, { validate: RichValidate }>>(
    {},
    {
      get: (target, key) => (isName(key) ? entry : Reflect.get(target, key)),
      ownKeys: () => needs.detailsTypes.known().filter(isName),
      getOwnPropertyDescriptor: (_target, key) => (isName(key) ? { value: entry, enumerable: true, configurable: true, writable: false } : undefined),
    },
  )
}

type RichValidate = (ctx: KoaContextWithOIDC, detail: AuthorizationDetail, client: Client) => Promise<void>

const createValidate =
  ({ detailsTypes, resourceServers, registrationOf }: Needs): RichValidate =>
  async (ctx, { type, ...fields }, client) => {
    const refuse = (what: string) => new errors.InvalidAuthorizationDetails(what)
    const parameter = String(ctx.oidc.params?.authorization_details)
    if (parameter.length > maxCharacters || askedDetails(parameter).length > maxDetails) throw refuse('there are too many authorization details')
    const found = await detailsTypes.find(type)
    const server = found && (await resourceServers.find(found.identifier))
    // What a guest may is asked with the resource itself, which each type is of.
    if (!server || nearnessOf(server, registrationOf(client)) === 'stranger') throw refuse('unsupported authorization details type value')
    if (!mayAsk(ctx, { server, type, registration: registrationOf(client) })) throw refuse('the authorization details type is not allowed for this client')
    const resources = [ctx.oidc.params?.resource ?? []].flat()
    if (resources.length > 0 && !resources.includes(server.identifier)) throw refuse('the authorization details are for a resource that is not asked for')
    // RFC 9396 §2.2: `locations` are of the resource server.
    const locations: unknown = fields.locations
    if (Array.isArray(locations) && !locations.every(one => isAt(server.identifier, one))) throw refuse('locations must be of the resource server')
    const fault = detailsFault(found.schema, fields)
    if (fault !== undefined) throw refuse(fault)
  }

// Asked again whenever a token is issued: what a client is not listed for any more, it has no more.
interface Wish {
  readonly server: ResourceServer
  readonly type: string
  readonly registration: Registration | undefined
}

const mayAsk = (ctx: KoaContextWithOIDC, { server, type, registration }: Wish) => {
  const access = isForItself(ctx) ? ownAccess(server, registration) : server.userAccess
  return access === 'any' || server.clients.some(one => one.clientId === registration?.clientId && one.detailsTypes.includes(type))
}

// Where roles decide, the details are for whoever's role holds a scope there, of whichever the engine would give them.
const holdsAny = async (ctx: KoaContextWithOIDC, { server, needs }: { server: ResourceServer; needs: Needs }): Promise<boolean> => {
  if (!server.requiresPermissions || isForItself(ctx)) return true
  const holder = roleHolderOf(ctx)
  if (!holder || (server.organizationId !== undefined && server.organizationId !== holder.organizationId)) return false
  return (await needs.findHeldScopes({ ...holder, resource: server.identifier, scopes: server.scopes })).length > 0
}

const isAt = (identifier: string, location: unknown) =>
  typeof location === 'string' && (location === identifier || location.startsWith(identifier.endsWith('/') ? identifier : `${identifier}/`))

const filtered = async (details: readonly AuthorizationDetail[], isKept: (type: string) => Promise<boolean>) => {
  const kept = await Promise.all(details.map(({ type }) => isKept(type)))
  return details.filter((_detail, at) => kept[at])
}

// RFC 9396 §2.2: the common fields that say what may be done, where and to what: of fewer is less.
const narrowing = new Set(['locations', 'actions', 'datatypes', 'privileges'])

/** Whether a detail asks for no more than another: the same, or less in a list of what may be done. */
export const isWithin = (asked: AuthorizationDetail, granted: AuthorizationDetail): boolean => {
  const names = Object.keys(granted)
  if (names.length !== Object.keys(asked).length) return false
  return names.every(name => {
    const [wanted, given]: unknown[] = [Object.hasOwn(asked, name) ? asked[name] : undefined, granted[name]]
    if (narrowing.has(name) && Array.isArray(wanted) && Array.isArray(given)) return wanted.length > 0 && wanted.every(one => given.includes(one))
    return isSame(wanted, given)
  })
}

const isSame = (one: unknown, other: unknown): boolean => {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length && names.every(name => Object.hasOwn(other, name) && isSame(Reflect.get(one, name), Reflect.get(other, name)))
  )
}
