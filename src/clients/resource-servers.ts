// Resource servers as tokens are issued for them: found with a short memory, and made in one go by scripts.
import type { Actor } from '../platform/actor.ts'
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import type { NewResourceServer, ResourceServer } from './resource-server.ts'

export type { ResourceServer } from './resource-server.ts'

/** The resource servers of the system and of its organizations. */
export interface ResourceServers {
  /** Throws what {@link ResourceServerAdministration.create} does. */
  create(actor: Actor, server: NewResourceServer): Promise<void>
  /** One that is enabled, and whose organization lives; at most a second old. */
  find(identifier: string): Promise<ResourceServer | undefined>
}

interface Row {
  identifier: string
  organization_id: string | null
  name: string
  scopes: string[]
  scope_descriptions: Record<string, string>
  token_format: ResourceServer['tokenFormat']
  signing_algorithm: ResourceServer['signingAlgorithm']
  access_token_ttl_seconds: number
  allows_offline_access: boolean
  requires_permissions: boolean
  client_access: ResourceServer['clientAccess']
  user_access: ResourceServer['userAccess']
  access_ended_at: Date | null
  clients: { client_id: string; scopes: string[]; details_types: string[]; introspects: boolean }[] | null
}

const byIdentifier = statement(
  'resource-server',
  `SELECT r.identifier, r.organization_id, r.name, r.scopes, r.scope_descriptions, r.token_format, r.signing_algorithm, r.access_token_ttl_seconds,
     r.allows_offline_access, r.requires_permissions, r.client_access, r.user_access, greatest(r.access_ended_at, o.access_ended_at) AS access_ended_at,
     (SELECT json_agg(json_build_object('client_id', c.client_id, 'scopes', a.scopes, 'details_types', a.authorization_details_types,
       'introspects', a.introspects))
      FROM resource_server_clients a JOIN clients c ON c.id = a.client_id AND c.deleted_at IS NULL WHERE a.resource_server_id = r.id) AS clients
   FROM resource_servers r LEFT JOIN organizations o ON o.id = r.organization_id
   WHERE r.identifier = $1 AND r.deleted_at IS NULL AND r.disabled_at IS NULL AND o.deleted_at IS NULL`,
)

interface Needs {
  readonly database: Database
  readonly feed: ChangeFeed
  readonly now: () => Date
  readonly create: ResourceServers['create']
}

/** Makes the service; `forget` has it look again: one was changed. */
export const createResourceServers = ({ database, feed, now, create }: Needs): ResourceServers & { readonly forget: (identifier: string) => void } => {
  const memo = createMemo<ResourceServer | undefined>({
    ttlMilliseconds: 1000,
    now,
    ends: { feed, by: { resource_server: ({ identifier }) => identifier, client: () => undefined, organization: () => undefined } },
    load: async identifier => (await database.run<Row>(byIdentifier, [identifier])).map(toResourceServer)[0],
  })
  return {
    find: identifier => (URL.canParse(identifier) && !identifier.includes('\0') ? memo.get(identifier) : Promise.resolve(undefined)),
    forget: memo.forget,
    create,
  }
}

const toResourceServer = (row: Row): ResourceServer => ({
  identifier: row.identifier,
  organizationId: row.organization_id ?? undefined,
  name: row.name,
  scopes: row.scopes,
  scopeDescriptions: row.scope_descriptions,
  tokenFormat: row.token_format,
  signingAlgorithm: row.signing_algorithm,
  accessTokenTtlSeconds: row.access_token_ttl_seconds,
  allowsOfflineAccess: row.allows_offline_access,
  requiresPermissions: row.requires_permissions,
  clientAccess: row.client_access,
  userAccess: row.user_access,
  accessEndedAt: row.access_ended_at ?? undefined,
  clients: (row.clients ?? []).map(one => ({
    clientId: one.client_id,
    scopes: one.scopes,
    detailsTypes: one.details_types,
    introspects: one.introspects,
  })),
})
