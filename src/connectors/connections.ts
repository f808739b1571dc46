// Connections as sign-in needs them: found with their secrets opened, and the buttons of a page.
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import { isUuid } from '../platform/uuid.ts'
import type { OpenRow } from './configured.ts'
import { type Connection, type ConnectionButton, type ConnectionRule, connectionIdSchema, membershipSchema } from './connection.ts'
import type { Connectors } from './list.ts'
import { markOf } from './mark.ts'
import type { ConfiguredProviders } from './settings-connections.ts'
import { existing } from './usable.ts'

/** The connections that can be used. */
export interface Connections {
  /** At most a second old; `undefined` for one that is disabled, deleted, or of an organization that is. */
  find(id: string): Promise<Connection | undefined>
  /** Also one that is disabled: its provider is told of us before anybody signs in by it. */
  findAlsoDisabled(id: string): Promise<Connection | undefined>
  /** The buttons of a sign-in page, in their order: of the system, and of this organization, of which a client may name those it offers. */
  buttonsFor(rule: ConnectionRule): Promise<readonly ConnectionButton[]>
  forget(id: string): void
}

interface Needs {
  readonly database: Database
  readonly connectors: Connectors
  readonly providers: ConfiguredProviders
  readonly openRow: OpenRow
  readonly feed: ChangeFeed
  readonly now: () => Date
}

const buttons = statement(
  'connection-buttons',
  `SELECT c.id, c.connector, c.name, c.origin, c.organization_id, c.settings, o.name AS organization
   FROM connections c LEFT JOIN organizations o ON o.id = c.organization_id
   WHERE c.deleted_at IS NULL AND c.disabled_at IS NULL AND ($2::uuid[] IS NULL OR c.id = ANY($2))
     AND (c.organization_id IS NULL OR (c.organization_id = $1::uuid AND o.deleted_at IS NULL))
   ORDER BY c.position, c.name, c.id`,
)

interface ButtonRow {
  readonly id: string
  readonly connector: string
  readonly name: string
  readonly origin: string
  readonly organization_id: string | null
  readonly settings: unknown
  readonly organization: string | null
}

/** Makes the service. */
export const createConnections = ({ database, connectors, providers, openRow, feed, now }: Needs): Connections => {
  const load = async (id: string) => {
    const row = await database.prisma.connection.findFirst({ where: { id, ...existing } })
    const open = row && openRow(row)
    if (!row || !open) return undefined
    const { organizationId, name, trustsEmails, createsUsers } = row
    const connection: Connection = {
      id: connectionIdSchema.parse(id),
      ...(organizationId === null ? {} : { organizationId }),
      connector: open.connector.id,
      name,
      trustsEmails: trustsEmails && organizationId === null,
      createsUsers,
      membership: membershipSchema.parse(row.membership),
      configured: open.configured,
      authority: open.connector.authorityOf(open.configured.settings),
    }
    return { connection, isDisabled: row.disabledAt !== null }
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load, ends: { feed, by: { connection: ({ id }) => id, organization: () => undefined } } })
  const look = async (id: string) => (isUuid(id) ? memo.get(id) : undefined)
  const isOffered = ({ connector, origin }: { connector: string; origin: string }) =>
    connectors.has(connector) && (origin !== 'settings' || providers[connector] !== undefined)
  return {
    find: async id => {
      const found = await look(id)
      return found?.isDisabled ? undefined : found?.connection
    },
    findAlsoDisabled: async id => (await look(id))?.connection,
    forget: memo.forget,
    buttonsFor: async ({ organizationId, clientConnections }) => {
      const rows = await database.run<ButtonRow>(buttons, [organizationId ?? null, clientConnections ?? null])
      return rows.filter(isOffered).map(({ id, connector, name, organization, organization_id: owner, settings }) => ({
        id,
        connector,
        name,
        mark: markOf(connectors, { connector, organizationId: owner, settings }),
        organization: organization ?? undefined,
      }))
    },
  }
}
