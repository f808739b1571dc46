// Connections as their administrators make and change them, each while nobody else does.
import type { MustHoldRoleNames } from '../organizations/handing.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { EndSessionsOfIdentities } from '../sessions/endings.ts'
import {
  type AdministeredConnection,
  type ConnectionChanges,
  type ConnectionFilter,
  type ConnectionKey,
  type ConnectionRow,
  findConnectionRow,
  type NewConnection,
} from './administered.ts'
import { unlinkFormer } from './authority.ts'
import { sealContext } from './configured.ts'
import { membershipSchema } from './connection.ts'
import { createMustBeAllowed, isRedrafted } from './connection-rights.ts'
import { type Drafted, type DraftedRow, draftOf, type Seal } from './draft.ts'
import type { Connectors } from './list.ts'

const maxConnections = 100

/**
 * The administration of connections. Each throws `not_found` for one that is not there; each change `validation_failed` for what the
 * connector does not take, and `forbidden` as its rights say.
 */
export interface ConnectionAdministration {
  list(filter: ConnectionFilter, page: PageRequest): Promise<Found<AdministeredConnection>>
  get(key: ConnectionKey): Promise<AdministeredConnection>
  /** Throws `too_many_connections` beyond a hundred of an organization. */
  create(actor: Actor, connection: NewConnection): Promise<AdministeredConnection>
  /** Unlinks everybody where the settings lead to another provider. Throws `secrets_required` and `connection_of_settings`. `expect` is called with what is about to be changed. */
  update(actor: Actor, key: ConnectionKey, changes: ConnectionChanges & { readonly expect?: Expect }): Promise<AdministeredConnection>
  /** Softly: nobody signs in by it any more. Throws `connection_of_settings`. `expect` is called with what is about to be deleted. */
  remove(actor: Actor, key: ConnectionKey, options?: { readonly expect?: Expect }): Promise<void>
  /** Brings back what was deleted in the last 30 days, with everybody's identities. Throws `too_many_connections`. */
  restore(actor: Actor, key: ConnectionKey): Promise<AdministeredConnection>
  /** Forgets for good what was deleted long ago; answers how many. */
  purge(actor: Actor, batch: number): Promise<number>
}

type Expect = (connection: AdministeredConnection) => void

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly connectors: Connectors
  readonly show: (row: ConnectionRow) => AdministeredConnection
  readonly lockOrganization: (tx: TransactionClient, id: string) => Promise<unknown>
  readonly mustHoldRoleNames: MustHoldRoleNames
  readonly endSessions: EndSessionsOfIdentities
  readonly forget: (id: string) => void
  readonly newUuid: () => string
  readonly now: () => Date
}

/** Makes the service. */
export const createConnectionAdministration = (needs: Needs): ConnectionAdministration => {
  const { database, change, connectors, show, lockOrganization, endSessions, forget, newUuid, now } = needs
  const mustBeAllowed = createMustBeAllowed(needs.mustHoldRoleNames)
  const seal: Seal = (id, secrets) => needs.secrets.seal('connection', JSON.stringify(secrets), sealContext(id))
  const draft = (row: DraftedRow, given: Drafted) => draftOf(connectors.get(row.connector), row, { ...given, seal, now: now() })
  /** Changes a connection while nobody else does; whoever remembers it looks again. */
  const changeConnection = async <Result>(
    actor: Actor,
    { key, deletedSince, work }: { key: ConnectionKey; deletedSince?: Date; work: Work<Result> },
  ): Promise<Result> => {
    const result = await change(actor, async (tx, record) => {
      if (key.organizationId !== undefined) await lockOrganization(tx, key.organizationId)
      await tx.$queryRaw`SELECT id FROM connections WHERE id = ${key.id}::uuid FOR NO KEY UPDATE`
      const { event, told, result } = await work(tx, await findConnectionRow(tx, { ...key, deletedSince }), record)
      record(event, told, { organizationId: key.organizationId })
      return result
    })
    forget(key.id)
    return result
  }

  return {
    list: async ({ organizationId, connector, isDeleted = false }, page) => {
      const deletedAt = isDeleted ? { gt: restorableSince(now()) } : null
      const where = { organizationId: organizationId ?? null, deletedAt, ...(connector === undefined ? {} : { connector }) }
      const [rows, total] = await Promise.all([database.prisma.connection.findMany(pageOf(where, page)), database.prisma.connection.count({ where })])
      return { rows: rows.map(show), total }
    },
    get: async key => show(await findConnectionRow(database.prisma, key)),
    create: async (actor, { organizationId, connector: kind, membership, settings, secrets, isDisabled = false, ...given }) => {
      const id = newUuid()
      const drafted = draft({ id, connector: kind, settings: {}, secrets: null }, { settings: settings ?? {}, secrets: secrets ?? {} })
      const name = given.name ?? connectors.get(kind)?.name ?? kind
      return change(actor, async (tx, record) => {
        if (organizationId !== undefined) await lockOrganization(tx, organizationId)
        await mustHaveRoom(tx, organizationId)
        const rule = membershipSchema.parse(membership ?? {})
        await mustBeAllowed(tx, { actor, organizationId, changes: { ...given, membership: rule } })
        const row = await tx.connection.create({
          data: { ...given, ...drafted, id, organizationId, connector: kind, name, membership: rule, disabledAt: isDisabled ? now() : null },
        })
        record('connection.created', row, { organizationId })
        return show(row)
      })
    },
    update: async (actor, key, { expect, ...changes }) => {
      const changed = toldNamesOf(changes)
      if (changed.length === 0) return unchanged(show(await findConnectionRow(database.prisma, key)), expect)
      return changeConnection(actor, {
        key,
        work: async (tx, before, record) => {
          expect?.(show(before))
          const { settings, secrets, membership, isDisabled, ...rest } = changes
          if (before.origin === 'settings' && isRedrafted(changes)) throw new Problem('connection_of_settings')
          await mustBeAllowed(tx, { actor, organizationId: key.organizationId, before, changes })
          const data = {
            ...rest,
            ...draft(before, { settings, secrets }),
            ...(membership === undefined ? {} : { membership }),
            ...(isDisabled === undefined ? {} : { disabledAt: isDisabled ? (before.disabledAt ?? now()) : null }),
          }
          const row = await tx.connection.update({ where: { id: key.id }, data })
          if (settings) await unlinkFormer({ tx, record, endSessions }, connectors.get(row.connector), { ...key, before: before.settings, after: row.settings })
          return { event: 'connection.updated', told: { ...row, changed }, result: show(row) }
        },
      })
    },
    remove: (actor, key, { expect } = {}) =>
      changeConnection(actor, {
        key,
        work: async (tx, before) => {
          expect?.(show(before))
          if (before.origin === 'settings') throw new Problem('connection_of_settings')
          const row = await tx.connection.update({ where: { id: key.id }, data: { deletedAt: now() } })
          return { event: 'connection.deleted', told: row, result: undefined }
        },
      }),
    restore: (actor, key) =>
      changeConnection(actor, {
        key,
        deletedSince: restorableSince(now()),
        work: async (tx, before) => {
          await mustBeAllowed(tx, { actor, organizationId: key.organizationId, before, changes: { isDisabled: false } })
          await mustHaveRoom(tx, key.organizationId)
          const row = await tx.connection.update({ where: { id: key.id }, data: { deletedAt: null } })
          return { event: 'connection.restored', told: row, result: show(row) }
        },
      }),
    purge: (actor, batch) => {
      const isDue = { deletedAt: { lte: restorableSince(now()) } }
      const select = { id: true, connector: true, organizationId: true }
      return purgeEach({
        database,
        kind: 'connection',
        list: ({ others, orderBy }) => database.prisma.connection.findMany({ where: { ...isDue, ...others }, select, orderBy, take: batch }),
        purgeOne: ({ organizationId, ...one }) =>
          change(actor, async (tx, record) => {
            // Asked again: none that was restored meanwhile is lost.
            if ((await tx.connection.deleteMany({ where: { id: one.id, ...isDue } })).count === 0) throw new Problem('conflict')
            record('connection.purged', one, { organizationId: organizationId ?? undefined })
          }),
      })
    },
  }
}

interface Worked<Result> {
  readonly event: string
  readonly told: { readonly id: string; readonly [field: string]: unknown }
  readonly result: Result
}

type Work<Result> = (tx: TransactionClient, row: ConnectionRow, record: RecordEvent) => Promise<Worked<Result>>

// The organization has to be locked.
const mustHaveRoom = async (tx: TransactionClient, organizationId: string | undefined): Promise<void> => {
  if (organizationId === undefined) return
  if ((await tx.connection.count({ where: { organizationId, deletedAt: null } })) >= maxConnections) throw new Problem('too_many_connections')
}

const unchanged = (connection: AdministeredConnection, expect: Expect | undefined) => {
  expect?.(connection)
  return connection
}
