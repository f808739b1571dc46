// Resource servers as their administrators see and change them, in the system and in organizations.
import { endOfAbsence, endOfSwitching } from '../platform/access-end.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { toldNamesOf } from '../platform/data/changed.ts'
import type { Database, Prisma, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import { isUuid } from '../platform/uuid.ts'
import { mustBelongToTheLiving } from './belongings.ts'
import { type AdministeredResourceServer, identifierFault, type NewResourceServer, type ResourceServerChanges } from './resource-server.ts'
import { mustBeSound, replaceClients, replaceTypes } from './resource-server-parts.ts'
import { createPurgeResourceServers } from './resource-server-purge.ts'
import { type ResourceServerRow, toAdministered, toColumns, withAll } from './resource-server-row.ts'

const maxOfOrganization = 100

/** Names one by its id, in one organization where that is told: those of others are not found. */
export interface ResourceServerKey {
  readonly id: string
  readonly organizationId?: string
}

interface Filter {
  readonly organizationId?: string | undefined
  readonly q?: string | undefined
  readonly isDeleted?: boolean
}

type Expect = (server: AdministeredResourceServer) => void

/** The administration of resource servers. Each throws `not_found` for one that is not there. */
export interface ResourceServerAdministration {
  /** `isDeleted`: those that can be restored, instead of the living. */
  list(filter: Filter, page: PageRequest): Promise<Found<AdministeredResourceServer>>
  get(key: ResourceServerKey): Promise<AdministeredResourceServer>
  /**
   * Throws `validation_failed`, `resource_server_taken` for an identifier that one has or had, `details_type_taken`, `not_found` for an
   * organization that is not there, and `too_many_resource_servers` beyond a hundred of one.
   */
  create(actor: Actor, server: NewResourceServer): Promise<AdministeredResourceServer>
  /** Tokens change at the next that is issued; those for one that is disabled end for good. `expect` is called with what is about to be changed. */
  update(actor: Actor, key: ResourceServerKey, changes: ResourceServerChanges & { readonly expect?: Expect }): Promise<AdministeredResourceServer>
  /** Nothing is issued for it any more, and what was issued ends for good. `expect` is called with what is about to be deleted. */
  remove(actor: Actor, key: ResourceServerKey, options?: { readonly expect?: Expect }): Promise<void>
  /** Brings back what was deleted in the last 30 days. Throws `organization_deleted` where its organization is. */
  restore(actor: Actor, key: ResourceServerKey, options: { readonly expect?: Expect }): Promise<AdministeredResourceServer>
  /** Empties for good what was deleted long ago; identifiers and names of types stay taken. Answers how many. */
  purge(actor: Actor, batch: number): Promise<number>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly now: () => Date
  /** Identifiers of the server itself: its issuer, its API. */
  readonly own: readonly string[]
  readonly forget: (identifier: string) => void
}

type Sought = ResourceServerKey & { readonly isDeleted?: boolean }

/** Makes the service. */
export const createResourceServerAdministration = ({ database, change, now, own, forget }: Needs): ResourceServerAdministration => {
  const restorable = () => ({ gt: restorableSince(now()) })
  const find = async (tx: Pick<TransactionClient, 'resourceServer'>, { id, organizationId, isDeleted = false }: Sought): Promise<ResourceServerRow> => {
    const where = { id, deletedAt: isDeleted ? restorable() : null, ...(organizationId === undefined ? {} : { organizationId }) }
    const row = isUuid(id) ? await tx.resourceServer.findFirst({ where, include: withAll }) : null
    if (!row) throw new Problem('not_found')
    return row
  }
  const changeOne = async <Result>(
    actor: Actor,
    { key, work }: { key: Sought; work: (tx: TransactionClient, row: ResourceServerRow) => Promise<{ event: string; told?: object; result: Result }> },
  ): Promise<Result> => {
    const { identifier, result } = await change(actor, async (tx, record) => {
      const { id, organizationId } = await find(tx, key)
      // Before it, as its organization's deletion does.
      if (organizationId !== null) await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${organizationId}::uuid FOR NO KEY UPDATE`
      await tx.$queryRaw`SELECT id FROM resource_servers WHERE id = ${id}::uuid FOR NO KEY UPDATE`
      const row = await find(tx, key)
      const done = await work(tx, row)
      record(done.event, { id, identifier: row.identifier, name: row.name, ...done.told }, { organizationId: organizationId ?? undefined })
      return { identifier: row.identifier, result: done.result }
    })
    forget(identifier)
    return result
  }
  const read = async (tx: TransactionClient, id: string) => toAdministered(await find(tx, { id }))
  const version = { version: { increment: 1 } }

  return {
    list: async ({ isDeleted = false, ...filter }, page) => {
      const where = { ...toWhere(filter), deletedAt: isDeleted ? restorable() : null }
      const [rows, total] = await Promise.all([
        database.prisma.resourceServer.findMany({ ...pageOf(where, page), include: withAll }),
        database.prisma.resourceServer.count({ where }),
      ])
      return { rows: rows.map(toAdministered), total }
    },
    get: async key => toAdministered(await find(database.prisma, key)),
    create: async (actor, server) => {
      const { identifier, organizationId, clients = [], detailsTypes = [] } = server
      const fault = identifierFault(identifier, own)
      if (fault !== undefined) throw new Problem('validation_failed', { fields: [{ path: 'identifier', message: fault }] })
      mustBeSound({ identifier, organizationId, scopes: server.scopes, clients, detailsTypes })
      const made = await change(actor, async (tx, record) => {
        if (organizationId !== undefined) await mustHaveRoom(tx, organizationId)
        const { id } = await tx.resourceServer.create({
          data: { ...toColumns(server, now()), identifier, organizationId, name: server.name, scopes: [...server.scopes] },
        })
        await replaceClients(tx, { id, organizationId, clients })
        await replaceTypes(tx, { id, detailsTypes, now: now() })
        record('resource_server.created', { id, identifier, name: server.name }, { organizationId })
        return read(tx, id)
      })
      forget(identifier)
      return made
    },
    update: async (actor, key, { expect, ...changes }) => {
      const changed = toldNamesOf(changes, { scopeDescriptions: 'scopes', detailsTypes: 'authorization_details_types' })
      if (changed.length === 0) {
        const server = toAdministered(await find(database.prisma, key))
        expect?.(server)
        return server
      }
      return changeOne(actor, {
        key,
        work: async (tx, row) => {
          const before = toAdministered(row)
          expect?.(before)
          if (changes.isDisabled === false) await mustBelongToTheLiving(tx, row)
          const { id } = row
          const { scopes = before.scopes, detailsTypes = before.detailsTypes } = changes
          const clients = changes.clients ?? narrowed(before.clients, { scopes, detailsTypes })
          mustBeSound({ identifier: before.identifier, organizationId: before.organizationId, scopes, clients, detailsTypes })
          await tx.resourceServer.update({
            where: { id },
            data: { ...toColumns(changes, now()), ...endOfSwitching(row, { ...changes, now: now() }), ...version },
          })
          if (changes.clients ?? changes.scopes ?? changes.detailsTypes) await replaceClients(tx, { id, organizationId: before.organizationId, clients })
          if (changes.detailsTypes) await replaceTypes(tx, { id, detailsTypes, now: now() })
          const result = await read(tx, id)
          return { event: 'resource_server.updated', told: { name: result.name, changed }, result }
        },
      })
    },
    remove: (actor, key, { expect } = {}) =>
      changeOne(actor, {
        key,
        work: async (tx, before) => {
          expect?.(toAdministered(before))
          await tx.resourceServer.update({ where: { id: before.id }, data: { deletedAt: now(), accessEndedAt: now(), ...version } })
          return { event: 'resource_server.deleted', result: undefined }
        },
      }),
    restore: (actor, key, { expect }) =>
      changeOne(actor, {
        key: { ...key, isDeleted: true },
        work: async (tx, before) => {
          expect?.(toAdministered(before))
          await mustBelongToTheLiving(tx, before)
          if (before.organizationId !== null) await mustHaveRoom(tx, before.organizationId)
          const data = { deletedAt: null, accessEndedAt: endOfAbsence(before, now()), ...version }
          await tx.resourceServer.update({ where: { id: before.id }, data })
          return { event: 'resource_server.restored', result: await read(tx, before.id) }
        },
      }),
    purge: createPurgeResourceServers({ database, change, now }),
  }
}

const mustHaveRoom = async (tx: TransactionClient, organizationId: string) => {
  // Locked, so that those who make one at the same time count one another's.
  const found = await tx.$queryRaw<unknown[]>`SELECT id FROM organizations WHERE id = ${organizationId}::uuid AND deleted_at IS NULL FOR NO KEY UPDATE`
  if (found.length === 0) throw new Problem('not_found')
  if ((await tx.resourceServer.count({ where: { organizationId, deletedAt: null } })) >= maxOfOrganization) throw new Problem('too_many_resource_servers')
}

type Left = Pick<AdministeredResourceServer, 'scopes' | 'detailsTypes'>

/** What is left of what clients are listed for. */
const narrowed = (clients: AdministeredResourceServer['clients'], { scopes, detailsTypes }: Left): AdministeredResourceServer['clients'] =>
  clients.map(one => ({
    ...one,
    scopes: one.scopes.filter(scope => scopes.includes(scope)),
    detailsTypes: one.detailsTypes.filter(name => detailsTypes.some(({ type }) => type === name)),
  }))

const toWhere = ({ organizationId, q }: Omit<Filter, 'isDeleted'>): Prisma.ResourceServerWhereInput => ({
  ...(organizationId === undefined ? {} : { organizationId }),
  ...(q === undefined ? {} : { OR: [{ name: { contains: q.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } }, { identifier: q }] }),
})
