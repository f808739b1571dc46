// Resource servers: what clients may name as `resource` (RFC 8707), and what tokens for it are like.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'

/** A resource server. */
export interface ResourceServer {
  /** An absolute URI. */
  readonly identifier: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly tokenFormat: 'jwt' | 'opaque'
  readonly signingAlgorithm: 'ES256' | 'RS256' | 'EdDSA'
  readonly accessTokenTtlSeconds: number
}

/** The resource servers of the system. */
export interface ResourceServers {
  create(actor: Actor, server: ResourceServer): Promise<void>
  /** At most a second old. */
  find(identifier: string): Promise<ResourceServer | undefined>
}

interface Row {
  identifier: string
  name: string
  scopes: string[]
  token_format: ResourceServer['tokenFormat']
  signing_algorithm: ResourceServer['signingAlgorithm']
  access_token_ttl_seconds: number
}

const byIdentifier = statement(
  'resource-server',
  'SELECT identifier, name, scopes, token_format, signing_algorithm, access_token_ttl_seconds FROM resource_servers WHERE identifier = $1 AND deleted_at IS NULL',
)

/** Makes the service. */
export const createResourceServers = ({ database, change, now }: { database: Database; change: Change; now: () => Date }): ResourceServers => {
  const memo = createMemo<ResourceServer | undefined>({
    ttlMilliseconds: 1000,
    now,
    load: async identifier => (await database.run<Row>(byIdentifier, [identifier])).map(toResourceServer)[0],
  })
  return {
    find: async identifier => (URL.canParse(identifier) && !identifier.includes('\0') ? memo.get(identifier) : undefined),
    create: async (actor, { identifier, name, scopes, tokenFormat, signingAlgorithm, accessTokenTtlSeconds }) => {
      await change(actor, async (tx, record) => {
        const row = await tx.resourceServer.create({ data: { identifier, name, scopes: [...scopes], tokenFormat, signingAlgorithm, accessTokenTtlSeconds } })
        record('resource_server.created', row)
      })
      memo.forget(identifier)
    },
  }
}

const toResourceServer = (row: Row): ResourceServer => ({
  identifier: row.identifier,
  name: row.name,
  scopes: row.scopes,
  tokenFormat: row.token_format,
  signingAlgorithm: row.signing_algorithm,
  accessTokenTtlSeconds: row.access_token_ttl_seconds,
})
