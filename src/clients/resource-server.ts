// The words of resource servers: the APIs that clients ask tokens for, who may, and what is told of them.
//
// Decided by security:
// - A client that asks for itself (client credentials) gets what it is listed for, and nothing else, unless `client_access` is 'any':
//   nobody consents there. One made over the API begins as 'listed'.
// - On behalf of a person any client may ask that has something to do with the owner (`user_access` 'any'), for the person consents; or
//   only those that are listed, with the scopes they are listed for ('listed').
// - An organization's resource is there for its own clients and for the system's; for those of other organizations it is unknown.
// - Anybody may make a client that nobody vouches for: an agent of their own, one that registers itself, one that a document tells of. None
//   of them is the system's. Where it is not listed it comes as a guest: it asks for nothing but what is for the organization itself, on
//   behalf of a member of it, as the roles there decide for that member whatever client they use. The system's own resources are there for it.
// - An identifier, and the name of a type of authorization details, is never free again: tokens that were issued for it live on.
// - An organization's types begin with the identifier of their resource, so that none is taken from others (RFC 9396 §2.1).
import { z } from 'zod'
import { event } from '../platform/data/change.ts'
import { text } from '../platform/http/text.ts'
import { isVouchedFor, type Registration } from './client.ts'
import type { DetailsSchema } from './details-schema.ts'

/** Which clients. */
export type Access = 'any' | 'listed'

/** A type of authorization details (RFC 9396 §2). */
export interface DetailsType {
  readonly type: string
  /** What people read of it. */
  readonly title: string
  readonly schema: DetailsSchema
}

/** What a listed client may ask for. */
export interface ListedClient {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly detailsTypes: readonly string[]
  /** It stands for the resource server itself: it may introspect tokens that are for it (RFC 7662 §2.1). */
  readonly introspects?: boolean
}

/** What JWT access tokens are signed by. */
export const accessTokenAlgorithms = ['ES256', 'RS256', 'EdDSA'] as const

/** A resource server as tokens for it are issued. */
export interface ResourceServer {
  /** An absolute URI. */
  readonly identifier: string
  /** Absent: of the system. */
  readonly organizationId?: string
  readonly name: string
  readonly scopes: readonly string[]
  /** What scopes mean, by their names. */
  readonly scopeDescriptions: Readonly<Record<string, string>>
  readonly tokenFormat: 'jwt' | 'opaque'
  readonly signingAlgorithm: (typeof accessTokenAlgorithms)[number]
  readonly accessTokenTtlSeconds: number
  readonly allowsOfflineAccess: boolean
  readonly requiresPermissions: boolean
  readonly clientAccess: Access
  readonly userAccess: Access
  readonly clients: readonly ListedClient[]
  /** When what was for it ended, or for its organization; what was issued before counts no more. */
  readonly accessEndedAt?: Date
}

/** What a new one is made of. */
export type NewResourceServer = Pick<ResourceServer, 'identifier' | 'name' | 'scopes' | 'tokenFormat' | 'signingAlgorithm' | 'accessTokenTtlSeconds'> &
  Partial<Omit<ResourceServer, 'accessEndedAt'>> & { readonly detailsTypes?: readonly DetailsType[]; readonly isDisabled?: boolean }

/** What may be changed; a list replaces the whole of it. */
export type ResourceServerChanges = Partial<Omit<NewResourceServer, 'identifier' | 'organizationId'>>

/** A resource server as its administrators see it. */
export interface AdministeredResourceServer extends ResourceServer {
  readonly id: string
  readonly detailsTypes: readonly DetailsType[]
  readonly isDisabled: boolean
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** An identifier as it is given. */
export const resourceIdentifier = text(1000).min(1)

/** What is wrong with an identifier (RFC 8707 §2: an absolute URI without a fragment); `own` are those of the server itself. */
export const identifierFault = (identifier: string, own: readonly string[]): string | undefined => {
  const url = URL.parse(identifier)
  if (!url || !/^[a-z][a-z\d+.-]*:[\x21-\x7e]+$/i.test(identifier)) return 'must be an absolute URI'
  if (identifier.includes('#')) return 'must not contain a fragment'
  if (url.username !== '' || url.password !== '') return 'must not contain user information'
  if (own.some(one => one === url.href || one === url.href.replace(/\/$/, ''))) return 'is one of our own'
  return undefined
}

/** RFC 6749 §3.3: what a scope may be called. */
export const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/

// OpenID Connect Core §5.4, §11: they mean the same wherever they are asked for, and so never something of a resource.
const reservedScopes = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])

/** What is wrong with the name of a scope. */
export const scopeFault = (name: string): string | undefined => {
  if (!scopePattern.test(name)) return 'must be printable ASCII without spaces, quotes and backslashes'
  return reservedScopes.has(name) ? 'is a scope of OpenID Connect' : undefined
}

/** What a client has to do with the owner of a resource: a guest may ask for it only in the organization, for one of its members. */
export type Nearness = 'neighbour' | 'guest' | 'stranger'

/** Tells it; a client that is not known is the system's. */
export const nearnessOf = (
  server: Pick<ResourceServer, 'organizationId' | 'clients'>,
  client: Pick<Registration, 'clientId' | 'organizationId' | 'source'> | undefined,
): Nearness => {
  if (server.organizationId === undefined || client === undefined) return 'neighbour'
  if (client.organizationId !== undefined) return client.organizationId === server.organizationId ? 'neighbour' : 'stranger'
  if (isVouchedFor(client.source) || server.clients.some(one => one.clientId === client.clientId)) return 'neighbour'
  return 'guest'
}

const shape = { identifier: z.string(), name: z.string() }

/** The events of resource servers. */
export const resourceServerEvents = {
  'resource_server.created': event('resource_server', shape),
  'resource_server.updated': event('resource_server', { ...shape, changed: z.array(z.string()) }),
  'resource_server.deleted': event('resource_server', shape),
  'resource_server.restored': event('resource_server', shape),
  'resource_server.purged': event('resource_server', { identifier: z.string() }),
}
