// Clients as their administrators see and change them: their metadata as the engine takes it, their owners, and how they end and come back.
import type { Images } from '../images/images.ts'
import { endOfAbsence, endOfSwitching } from '../platform/access-end.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { EndAgents } from './agent.ts'
import { mustBeOwnable } from './agent-rule.ts'
import { emptied, isFull, mustBelongToTheLiving } from './belongings.ts'
import type { FindCarried } from './carried.ts'
import type { Client, ClientChanges } from './client.ts'
import { type ClientRow, toClient, toUpdate } from './client-row.ts'
import { mustBeOfferable } from './connection-rule.ts'
import { mustBeNewKeys, withNewKeysAlone } from './ended-keys.ts'
import { carriedMetadata } from './further-metadata.ts'
import { areSecretsKept } from './registration.ts'
import { createSecretAdministration, type SecretAdministration } from './secret-administration.ts'
import { type ClientFilter, type ClientKey, createSoughtClients, type Expect, toWhere, version, withSecrets } from './sought-client.ts'

/** The administration of clients. Each throws `not_found` for a client that is not there. */
export interface ClientAdministration extends SecretAdministration {
  /** `isDeleted`: those that can be restored, instead of the living. */
  list(filter: ClientFilter, page: PageRequest): Promise<Found<Client>>
  get(key: ClientKey): Promise<Client>
  /**
   * Secrets that the new authentication method cannot use are revoked; what it holds ends for good where it is disabled, and what an agent
   * holds also where it passes to another owner: then keys that it had do not come back in `metadata`. Throws `not_found` and `too_many_agents` for
   * an owner who cannot be one, and `organization_deleted` where a client of a deleted organization would be enabled. `expect` is called with what is about to be changed.
   */
  update(actor: Actor, key: ClientKey, changes: ClientChanges & { readonly expect?: Expect }): Promise<Client>
  /** What it holds ends, and does not come back with it. `expect` is called with what is about to be deleted. */
  remove(actor: Actor, key: ClientKey, options?: { readonly expect?: Expect }): Promise<void>
  /** Brings back what was deleted in the last 30 days. Throws `organization_deleted` where its organization is. */
  restore(actor: Actor, key: ClientKey, options: { readonly expect?: Expect }): Promise<Client>
  /** Empties for good what was deleted long ago, so that only the identifier stays taken; answers how many. */
  purge(actor: Actor, batch: number): Promise<number>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly secrets: Secrets
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  readonly forget: (clientId: string) => void
  readonly images: Pick<Images, 'ask'>
  readonly endRequests: (tx: TransactionClient, clientId: string) => Promise<void>
  readonly endAgents: EndAgents
  readonly findCarried: FindCarried
}

/** Makes the service. */
export const createClientAdministration = ({
  database,
  change,
  secrets,
  now,
  randomBytes,
  forget,
  images,
  endRequests,
  endAgents,
  findCarried,
}: Needs): ClientAdministration => {
  const sought = createSoughtClients({ change, forget, now })
  const { find, changeClient } = sought
  return {
    list: async ({ isDeleted = false, ...filter }, page) => {
      const where = { ...toWhere(filter), deletedAt: isDeleted ? { gt: restorableSince(now()) } : null }
      const [rows, total] = await Promise.all([
        database.prisma.client.findMany({ ...pageOf(where, page), include: withSecrets }),
        database.prisma.client.count({ where }),
      ])
      return { rows: rows.map(toClient), total }
    },
    get: async key => toClient(await find(database.prisma, key)),
    update: (actor, key, { expect, ...changes }) =>
      changeClient(actor, {
        key,
        work: async (tx, before, record) => {
          await expect?.(toClient(before), () => findCarried(tx, before))
          const isEnding = changes.isDisabled || isMoved(before, changes)
          if (changes.isDisabled === false) await mustBelongToTheLiving(tx, before)
          if (!isEnding) mustBeNewKeys(changes, before)
          await mustBeOfferable(tx, { connections: changes.connections, organizationId: before.organizationId })
          if (isMoved(before, changes)) {
            await mustBeOwnable(tx, { ownerUserId: changes.ownerUserId, organizationId: before.organizationId ?? undefined })
            record('client.owner_changed', ...toldOfMove(before, changes.ownerUserId))
          }
          if (isEnding) {
            await endAgents(tx, { id: before.id })
            await endRequests(tx, before.clientId)
          }
          const method = changes.authenticationMethod ?? before.tokenEndpointAuthMethod
          if (!areSecretsKept(before.tokenEndpointAuthMethod, method))
            await tx.clientSecret.updateMany({ where: { clientId: before.id, revokedAt: null }, data: { revokedAt: now() } })
          const lasting = isEnding && before.isAgent ? withNewKeysAlone(changes, before) : changes
          const row = await tx.client.update({
            where: { id: before.id },
            data: { ...toUpdate(withCarried(lasting, before), now()), ...endOfSwitching(before, { ...changes, now: now() }), ...version },
            include: withSecrets,
          })
          await images.ask(tx, changes.metadata?.logo_uri)
          return { event: 'client.updated', result: toClient(row) }
        },
      }),
    remove: (actor, key, { expect } = {}) =>
      changeClient(actor, {
        key,
        work: async (tx, before) => {
          await expect?.(toClient(before), () => findCarried(tx, before))
          const { id, clientId } = before
          await endAgents(tx, { id })
          await tx.client.update({ where: { id }, data: { deletedAt: now(), accessEndedAt: now(), ...version } })
          await endRequests(tx, clientId)
          return { event: 'client.deleted', result: undefined }
        },
      }),
    restore: (actor, key, { expect }) =>
      changeClient(actor, {
        key: { ...key, isDeleted: true },
        work: async (tx, before) => {
          await expect?.(toClient(before), () => findCarried(tx, before))
          await mustBelongToTheLiving(tx, before)
          const data = { deletedAt: null, accessEndedAt: endOfAbsence(before, now()), ...version }
          const row = await tx.client.update({ where: { id: before.id }, data, include: withSecrets })
          return { event: 'client.restored', result: toClient(row) }
        },
      }),
    ...createSecretAdministration({ sought, secrets, now, randomBytes, findCarried }),
    purge: (actor, batch) => {
      const isDue = { deletedAt: { lte: restorableSince(now()) }, OR: [...isFull] }
      const select = { id: true, clientId: true }
      return purgeEach({
        database,
        kind: 'client',
        list: ({ others, orderBy }) => database.prisma.client.findMany({ where: { ...isDue, ...others }, select, orderBy, take: batch }),
        purgeOne: ({ id, clientId }) =>
          change(actor, async (tx, record) => {
            // Asked again: none that was restored meanwhile is emptied.
            const { count } = await tx.client.updateMany({ where: { id, ...isDue }, data: emptied })
            if (count === 0) throw new Problem('conflict')
            await tx.clientSecret.deleteMany({ where: { clientId: id } })
            record('client.purged', { id, client_id: clientId })
          }),
      })
    },
  }
}

// Metadata are replaced whole, but for what only registration says.
const withCarried = ({ metadata, ...changes }: ClientChanges, before: ClientRow): ClientChanges =>
  metadata ? { ...changes, metadata: { ...carriedMetadata(toClient(before).metadata), ...metadata } } : changes

const isMoved = (before: ClientRow, { ownerUserId }: ClientChanges) => ownerUserId !== undefined && ownerUserId !== before.ownerUserId

const toldOfMove = ({ id, clientId, name, organizationId, ownerUserId }: ClientRow, next: string | undefined) => {
  const target = { id, client_id: clientId, name, owner_user_id: next, previous_owner_user_id: ownerUserId ?? undefined }
  return [target, { organizationId: organizationId ?? undefined }] as const
}
