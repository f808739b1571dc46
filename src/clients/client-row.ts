// Turns the rows of clients into what administrators see, and what they make and change into columns.
import { readBranding } from '../platform/branding-settings.ts'
import type { Prisma } from '../platform/data/database.ts'
import { isObject } from '../platform/values.ts'
import { isPersonal } from './agent.ts'
import { type Client, type ClientChanges, type ClientSecret, type ClientSource, type NewClient, toSource } from './client.ts'
import { responseTypesOf } from './response-types.ts'
import { readProfile } from './security-profile.ts'
import { readTokenExchange } from './token-exchange.ts'

interface SecretRow {
  id: string
  hint: string
  createdAt: Date
  expiresAt: Date | null
}

/** The columns that a client's registration is made of. */
export interface ClientColumns {
  id: string
  clientId: string
  organizationId: string | null
  source: string
  name: string
  firstParty: boolean
  tokenEndpointAuthMethod: string
  grantTypes: string[]
  responseTypes: string[]
  redirectUris: string[]
  postLogoutRedirectUris: string[]
  requirePkce: boolean
  securityProfile: string | null
  refreshGraceSeconds: number
  apiPermissions: string[]
  tokenExchange: unknown
  metadata: unknown
  branding: unknown
  areConnectionsLimited: boolean
  connections: string[]
  isMembersOnly: boolean
  isAgent: boolean
  ownerUserId: string | null
  accessEndedAt: Date | null
  version: number
}

/** A client with its living secrets, as Prisma reads it for administrators. */
export interface ClientRow extends ClientColumns {
  disabledAt: Date | null
  lastUsedAt: Date | null
  deletedAt: Date | null
  endedKeys: string[]
  createdAt: Date
  updatedAt: Date
  secrets: SecretRow[]
}

/** A client without what is secret. */
export const toClient = (row: ClientRow): Client => ({
  id: row.id,
  clientId: row.clientId,
  organizationId: row.organizationId ?? undefined,
  source: sourceOf(row),
  name: row.name,
  isFirstParty: row.firstParty,
  authenticationMethod: row.tokenEndpointAuthMethod,
  grantTypes: row.grantTypes,
  responseTypes: row.responseTypes,
  redirectUris: row.redirectUris,
  postLogoutRedirectUris: row.postLogoutRedirectUris,
  isPkceRequired: row.requirePkce,
  securityProfile: readProfile(row.securityProfile),
  refreshGraceSeconds: row.refreshGraceSeconds,
  apiPermissions: row.apiPermissions,
  tokenExchange: readTokenExchange(row.tokenExchange),
  metadata: isObject(row.metadata) ? row.metadata : {},
  branding: readBranding(row.branding),
  ...connectionsOf(row),
  isMembersOnly: row.isMembersOnly,
  isAgent: row.isAgent,
  ownerUserId: row.ownerUserId ?? undefined,
  secrets: row.secrets.map(toClientSecret),
  isDisabled: row.disabledAt !== null,
  version: row.version,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
  lastUsedAt: row.lastUsedAt ?? undefined,
  deletedAt: row.deletedAt ?? undefined,
})

/** Who says what a client is. A person's own agent is theirs whatever is kept: a process of the version before knows no such source. */
export const sourceOf = ({ source, ownerUserId, organizationId }: Pick<ClientColumns, 'source' | 'ownerUserId' | 'organizationId'>): ClientSource =>
  isPersonal({ ownerUserId: ownerUserId ?? undefined, organizationId: organizationId ?? undefined }) ? 'person' : toSource(source)

/** A secret without itself. */
export const toClientSecret = ({ id, hint, createdAt, expiresAt }: SecretRow): ClientSecret => ({ id, hint, createdAt, expiresAt: expiresAt ?? undefined })

/** The columns of a client that is made. */
export const toCreate = (client: NewClient): Prisma.ClientUncheckedCreateInput => ({
  clientId: client.clientId,
  name: client.name,
  ...(isPersonal(client) ? { source: 'person' } : {}),
  organizationId: client.organizationId,
  firstParty: client.isFirstParty,
  tokenEndpointAuthMethod: client.authenticationMethod,
  grantTypes: [...client.grantTypes],
  responseTypes: [...(client.responseTypes ?? responseTypesOf(client.grantTypes))],
  redirectUris: [...(client.redirectUris ?? [])],
  postLogoutRedirectUris: [...(client.postLogoutRedirectUris ?? [])],
  requirePkce: client.isPkceRequired,
  securityProfile: client.securityProfile,
  refreshGraceSeconds: client.refreshGraceSeconds,
  apiPermissions: [...(client.apiPermissions ?? [])],
  ...toTokenExchangeColumns(client.tokenExchange),
  branding: client.branding,
  ...toConnectionColumns(client.connections),
  isMembersOnly: client.isMembersOnly,
  isAgent: client.isAgent,
  ownerUserId: client.ownerUserId,
  metadata: JSON.parse(JSON.stringify(client.metadata ?? {})),
})

/** The columns that the changes change. */
export const toUpdate = (changes: ClientChanges, now: Date): Prisma.ClientUpdateInput => ({
  name: changes.name,
  firstParty: changes.isFirstParty,
  tokenEndpointAuthMethod: changes.authenticationMethod,
  grantTypes: changes.grantTypes && [...changes.grantTypes],
  responseTypes: changes.responseTypes ? [...changes.responseTypes] : changes.grantTypes && responseTypesOf(changes.grantTypes),
  redirectUris: changes.redirectUris && [...changes.redirectUris],
  postLogoutRedirectUris: changes.postLogoutRedirectUris && [...changes.postLogoutRedirectUris],
  requirePkce: changes.isPkceRequired,
  securityProfile: changes.securityProfile,
  refreshGraceSeconds: changes.refreshGraceSeconds,
  apiPermissions: changes.apiPermissions && [...changes.apiPermissions],
  ...toTokenExchangeColumns(changes.tokenExchange),
  metadata: changes.metadata && JSON.parse(JSON.stringify(changes.metadata)),
  branding: changes.branding,
  ...toConnectionColumns(changes.connections),
  isMembersOnly: changes.isMembersOnly,
  ...(changes.ownerUserId === undefined ? {} : { owner: { connect: { id: changes.ownerUserId } } }),
  ...(changes.isDisabled === undefined ? {} : { disabledAt: changes.isDisabled ? now : null }),
})

/** The connections that the pages of a client offer, where it names them. */
export const connectionsOf = ({ areConnectionsLimited, connections }: Pick<ClientColumns, 'areConnectionsLimited' | 'connections'>) =>
  areConnectionsLimited ? { connections } : {}

// The columns of it; none where nothing is said.
const toConnectionColumns = (connections: readonly string[] | null | undefined) =>
  connections === undefined ? {} : { areConnectionsLimited: connections !== null, connections: [...(connections ?? [])] }

// The column of whose tokens a client may exchange; none where nothing is said.
const toTokenExchangeColumns = (policy: ClientChanges['tokenExchange']) => (policy === undefined ? {} : { tokenExchange: policy ?? {} })
