// A connection as its administrators see it: never a secret, only which are set.
import { z } from 'zod'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressesOf } from './configured.ts'
import { type MembershipRule, membershipSchema } from './connection.ts'
import type { Connectors } from './list.ts'
import type { ConfiguredProviders } from './settings-connections.ts'

/** Names a connection: of one organization, or of the system where none is told. The connections of others are not found. */
export interface ConnectionKey {
  readonly id: string
  readonly organizationId?: string | undefined
}

/** A connection without what is secret. */
export interface AdministeredConnection {
  readonly id: string
  readonly organizationId?: string
  readonly connector: string
  readonly name: string
  readonly origin: string
  readonly settings: Readonly<Record<string, unknown>>
  /** The names of those that are set, and when each was; without a time where the environment says them. */
  readonly secrets: readonly { readonly name: string; readonly setAt?: string }[]
  readonly trustsEmails: boolean
  readonly createsUsers: boolean
  readonly membership: MembershipRule
  readonly position: number
  readonly isDisabled: boolean
  /** Whether its kind is known here and it is configured. */
  readonly isAvailable: boolean
  readonly callbackUrl: string
  readonly entityId: string
  /** Where its provider reads of us, where it can. */
  readonly metadataUrl?: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What of a connection is said. */
export interface ConnectionChanges {
  readonly name?: string | undefined
  /** Replaces all of them. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
  /** Replaces all of them. */
  readonly secrets?: Readonly<Record<string, unknown>> | undefined
  readonly trustsEmails?: boolean | undefined
  readonly createsUsers?: boolean | undefined
  readonly membership?: MembershipRule | undefined
  readonly position?: number | undefined
  readonly isDisabled?: boolean | undefined
}

/** What a new one is made of. */
export interface NewConnection extends ConnectionChanges {
  readonly organizationId?: string | undefined
  readonly connector: string
}

/** Which connections to list: of one organization, or of the system. */
export interface ConnectionFilter {
  readonly organizationId?: string | undefined
  readonly connector?: string | undefined
  readonly isDeleted?: boolean
}

/** A row of the table. */
export interface ConnectionRow {
  readonly id: string
  readonly organizationId: string | null
  readonly connector: string
  readonly name: string
  readonly settings: unknown
  readonly secrets: string | null
  readonly secretsSetAt: unknown
  readonly origin: string
  readonly trustsEmails: boolean
  readonly createsUsers: boolean
  readonly membership: unknown
  readonly position: number
  readonly disabledAt: Date | null
  readonly deletedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

const record = z.record(z.string(), z.unknown())
const times = z.record(z.string(), z.string())

interface Needs {
  readonly connectors: Connectors
  readonly providers: ConfiguredProviders
  readonly issuer: string
}

/** Makes what shows a row. */
export const createShow =
  ({ connectors, providers, issuer }: Needs) =>
  (row: ConnectionRow): AdministeredConnection => {
    const { id, organizationId, connector, name, origin, trustsEmails, createsUsers, position, createdAt, updatedAt } = row
    const isOfSettings = origin === 'settings'
    const given = providers[connector]
    const kind = connectors.get(connector)
    const { callbackUrl, entityId } = addressesOf(issuer, id)
    return {
      ...{ id, connector, name, origin, trustsEmails, createsUsers, position, createdAt, updatedAt, callbackUrl, entityId },
      ...(organizationId === null ? {} : { organizationId }),
      settings: isOfSettings ? (given?.settings ?? {}) : record.parse(row.settings),
      secrets: isOfSettings
        ? Object.keys(given?.secrets ?? {}).map(name => ({ name }))
        : Object.entries(times.parse(row.secretsSetAt)).map(([name, setAt]) => ({ name, setAt })),
      membership: membershipSchema.parse(row.membership),
      isDisabled: row.disabledAt !== null,
      isAvailable: kind !== undefined && (!isOfSettings || given !== undefined),
      ...(kind?.describe ? { metadataUrl: entityId } : {}),
    }
  }

/** The row that lives, or the one that was deleted and can be restored. Throws `not_found`. */
export const findConnectionRow = async (
  tx: Pick<TransactionClient, 'connection'>,
  { id, organizationId, deletedSince }: ConnectionKey & { readonly deletedSince?: Date | undefined },
): Promise<ConnectionRow> => {
  const deletedAt = deletedSince === undefined ? null : { gt: deletedSince }
  const row = await tx.connection.findFirst({ where: { id, organizationId: organizationId ?? null, deletedAt } })
  if (!row) throw new Problem('not_found')
  return row
}
