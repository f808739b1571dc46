// The types of authorization details (RFC 9396 §2) as requests name them: found with a short memory, the names known at once.
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import type { DetailsSchema } from './details-schema.ts'
import type { DetailsType } from './resource-server.ts'

/** A type with the resource server that it is of. */
export interface FoundDetailsType extends DetailsType {
  readonly identifier: string
}

/** The types of the resource servers that are enabled. */
export interface DetailsTypes {
  /** At most a second old. */
  find(type: string): Promise<FoundDetailsType | undefined>
  /** All names there ever were, as of the last look: a name is never taken back. */
  known(): readonly string[]
  /** Those of the system's resource servers, as of the last look; those of organizations are nobody else's matter. */
  ofSystem(): readonly string[]
  /** Looks again, at most once a second. */
  refresh(): Promise<void>
  /** Looks again until all these are known; what is kept of a client names only what there is. */
  know(types: readonly string[]): Promise<void>
}

interface Row {
  type: string
  title: string
  schema: DetailsSchema
  identifier: string
}

const isLive = 't.removed_at IS NULL AND r.deleted_at IS NULL AND r.disabled_at IS NULL AND o.deleted_at IS NULL'
const from = 'FROM authorization_details_types t JOIN resource_servers r ON r.id = t.resource_server_id LEFT JOIN organizations o ON o.id = r.organization_id'
const byType = statement('details-type', `SELECT t.type, t.title, t.schema, r.identifier ${from} WHERE t.type = $1 AND ${isLive}`)
const all = statement('details-types', `SELECT t.type, r.organization_id IS NULL AND ${isLive} AS is_offered ${from} ORDER BY t.type`)

interface Needs {
  readonly database: Database
  readonly feed: ChangeFeed
  readonly now: () => Date
}

/** Makes the service. */
export const createDetailsTypes = ({ database, feed, now }: Needs): DetailsTypes => {
  const ends = { feed, by: { resource_server: () => undefined, organization: () => undefined } }
  let names: readonly { type: string; is_offered: boolean }[] = []
  const found = createMemo({ ttlMilliseconds: 1000, now, ends, load: async (type: string) => (await database.run<Row>(byType, [type]))[0] })
  const load = async () => {
    names = await database.run(all)
  }
  const listed = createMemo({ ttlMilliseconds: 1000, now, ends, load })
  return {
    find: async type => (type.includes('\0') || !type.isWellFormed() ? undefined : found.get(type)),
    known: () => names.map(({ type }) => type),
    ofSystem: () => names.filter(({ is_offered: isOffered }) => isOffered).map(({ type }) => type),
    refresh: () => listed.get('all'),
    know: async types => {
      if (!types.every(one => names.some(({ type }) => type === one))) await load()
    },
  }
}
