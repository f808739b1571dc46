// Connections as sign-in needs them: found with their secrets opened, and the buttons of a page.
import type { Database } from '../platform/data/database.ts'
import { createMemo } from '../platform/data/memo.ts'
import type { Secrets } from '../platform/secrets.ts'
import { isUuid } from '../platform/uuid.ts'
import { type Connection, type ConnectionButton, connectionIdSchema, membershipSchema } from './connection.ts'
import type { Connectors } from './list.ts'
import { usable } from './usable.ts'

/** The connections that can be used. */
export interface Connections {
  /** At most a second old; `undefined` for one that is disabled, deleted, or of an organization that is. */
  find(id: string): Promise<Connection | undefined>
  /** The buttons of a sign-in page, in their order: of the system, and of this organization. */
  buttonsFor(organizationId: string | undefined): Promise<readonly ConnectionButton[]>
  forget(id: string): void
}

interface Needs {
  readonly database: Database
  readonly secrets: Secrets
  readonly connectors: Connectors
  readonly issuer: string
  readonly now: () => Date
}

/** Where the secrets of a connection are sealed to. */
export const sealContext = (connectionId: string): string => `connections.secrets:${connectionId}`

/** Makes the service. */
export const createConnections = ({ database, secrets, connectors, issuer, now }: Needs): Connections => {
  const load = async (id: string): Promise<Connection | undefined> => {
    const row = await database.prisma.connection.findFirst({ where: { id, ...usable } })
    const connector = row && connectors.get(row.connector)
    if (!row || !connector) return undefined
    const { organizationId, name, trustsEmails, createsUsers } = row
    const opened = row.secrets === null ? {} : JSON.parse(secrets.unseal('connection', row.secrets, sealContext(id)))
    return {
      id: connectionIdSchema.parse(id),
      ...(organizationId === null ? {} : { organizationId }),
      connector: connector.id,
      name,
      trustsEmails: trustsEmails && organizationId === null,
      createsUsers,
      membership: membershipSchema.parse(row.membership),
      configured: {
        connectionId: id,
        settings: connector.settings.parse(row.settings),
        secrets: connector.secrets.parse(opened),
        callbackUrl: `${issuer}/connections/${id}/callback`,
        entityId: `${issuer}/connections/${id}/metadata`,
      },
    }
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load })
  return {
    find: async id => (isUuid(id) ? memo.get(id) : undefined),
    forget: memo.forget,
    buttonsFor: async organizationId => {
      const rows = await database.prisma.connection.findMany({
        where: {
          deletedAt: null,
          disabledAt: null,
          OR: [{ organizationId: null }, ...(organizationId === undefined ? [] : [{ organizationId, organization: { deletedAt: null } }])],
        },
        orderBy: [{ position: 'asc' }, { name: 'asc' }, { id: 'asc' }],
        select: { id: true, connector: true, name: true },
      })
      return rows.filter(({ connector }) => connectors.has(connector))
    },
  }
}
