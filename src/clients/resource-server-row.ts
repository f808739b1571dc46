// Resource servers as they are kept: rows to what administrators see, and back.
import type { Prisma } from '../platform/data/database.ts'
import type { DetailsSchema } from './details-schema.ts'
import type { AdministeredResourceServer, ResourceServer, ResourceServerChanges } from './resource-server.ts'

/** What is read with each row. */
export const withAll = {
  clients: {
    where: { client: { deletedAt: null } },
    select: { scopes: true, authorizationDetailsTypes: true, introspects: true, client: { select: { clientId: true } } },
    orderBy: { clientId: 'asc' },
  },
  types: { where: { removedAt: null }, orderBy: { type: 'asc' } },
} as const satisfies Prisma.ResourceServerInclude

/** A row with all that belongs to it. */
export type ResourceServerRow = Prisma.ResourceServerGetPayload<{ include: typeof withAll }>

/** Turns it into what administrators see. */
export const toAdministered = (row: ResourceServerRow): AdministeredResourceServer => ({
  id: row.id,
  identifier: row.identifier,
  organizationId: row.organizationId ?? undefined,
  name: row.name,
  scopes: row.scopes,
  // Written by this slice alone, as the next function does.
  scopeDescriptions: row.scopeDescriptions as Record<string, string>,
  tokenFormat: row.tokenFormat as ResourceServer['tokenFormat'],
  signingAlgorithm: row.signingAlgorithm as ResourceServer['signingAlgorithm'],
  accessTokenTtlSeconds: row.accessTokenTtlSeconds,
  allowsOfflineAccess: row.allowsOfflineAccess,
  requiresPermissions: row.requiresPermissions,
  clientAccess: row.clientAccess as ResourceServer['clientAccess'],
  userAccess: row.userAccess as ResourceServer['userAccess'],
  clients: row.clients.map(({ client, scopes, authorizationDetailsTypes, introspects }) => ({
    clientId: client.clientId,
    scopes,
    detailsTypes: authorizationDetailsTypes,
    introspects,
  })),
  detailsTypes: row.types.map(({ type, title, schema }) => ({ type, title, schema: schema as unknown as DetailsSchema })),
  isDisabled: row.disabledAt !== null,
  version: row.version,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
})

/** The columns of what is given; none of what is not. */
export const toColumns = (changes: ResourceServerChanges, now: Date) => ({
  name: changes.name,
  scopes: changes.scopes && [...changes.scopes],
  scopeDescriptions: changes.scopeDescriptions && { ...changes.scopeDescriptions },
  tokenFormat: changes.tokenFormat,
  signingAlgorithm: changes.signingAlgorithm,
  accessTokenTtlSeconds: changes.accessTokenTtlSeconds,
  allowsOfflineAccess: changes.allowsOfflineAccess,
  requiresPermissions: changes.requiresPermissions,
  clientAccess: changes.clientAccess,
  userAccess: changes.userAccess,
  ...(changes.isDisabled === undefined ? {} : { disabledAt: changes.isDisabled ? now : null }),
})
