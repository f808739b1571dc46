// Clients as their administrators see and change them: their metadata as the engine takes it, and their secrets, several at a time.
import type { Images } from '../images/images.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, Prisma, TransactionClient } from '../platform/data/database.ts'
import { type Found, type PageRequest, pageOf } from '../platform/data/page.ts'
import { purgeEach } from '../platform/data/purge-each.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import type { Secrets } from '../platform/secrets.ts'
import { isUuid } from '../platform/uuid.ts'
import { emptied, mustBelongToTheLiving } from './belongings.ts'
import { type Client, type ClientChanges, type ClientSecret, needsSecret } from './client.ts'
import { type ClientRow, toClient, toClientSecret, toUpdate } from './client-row.ts'
import { mustBeOfferable } from './connection-rule.ts'
import { toSecretColumns } from './registration.ts'

const maxSecrets = 10

/** Names a client, in one organization where that is told: the clients of others are not found. */
export interface ClientKey {
  /** The id, or the `client_id`. */
  readonly id: string
  readonly organizationId?: string
  /** The person who made the agent for themselves. */
  readonly ownerUserId?: string
}

/** Which clients to list. */
export interface ClientFilter {
  readonly organizationId?: string
  /** The agents that this person made for themselves. */
  readonly ownerUserId?: string
  readonly q?: string
  readonly isDeleted?: boolean
}

/** The administration of clients. Each throws `not_found` for a client that is not there. */
export interface ClientAdministration {
  /** `isDeleted`: those that can be restored, instead of the living. */
  list(filter: ClientFilter, page: PageRequest): Promise<Found<Client>>
  get(key: ClientKey): Promise<Client>
  /**
   * Secrets that the new authentication method cannot use are revoked. Throws `organization_deleted` where a client of a deleted
   * organization would be enabled. `expect` is called with what is about to be changed.
   */
  update(actor: Actor, key: ClientKey, changes: ClientChanges & { readonly expect?: (client: Client) => void }): Promise<Client>
  remove(actor: Actor, key: ClientKey): Promise<void>
  /** Brings back what was deleted in the last 30 days. Throws `organization_deleted` where its organization is. */
  restore(actor: Actor, key: ClientKey, options: { readonly expect?: (client: Client) => void }): Promise<Client>
  /** One more living secret, given this once. Throws `secret_not_used` where the client does not use one, `too_many_secrets` beyond ten. */
  addSecret(
    actor: Actor,
    key: ClientKey,
    options: { readonly expiresAt?: Date; readonly expect?: (client: Client) => void },
  ): Promise<{ clientSecret: ClientSecret; secret: string }>
  revokeSecret(actor: Actor, key: ClientKey, secretId: string): Promise<void>
  /** Empties for good what was deleted long ago, so that only the identifier stays taken; answers how many. */
  purge(actor: Actor, limit: number): Promise<number>
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
}

/** Makes the service. */
export const createClientAdministration = ({ database, change, secrets, now, randomBytes, forget, images, endRequests }: Needs): ClientAdministration => {
  const withSecrets = { secrets: { where: { revokedAt: null }, orderBy: { createdAt: 'asc' } } } as const
  const restorable = () => ({ gt: restorableSince(now()) })
  const find = async (tx: Pick<TransactionClient, 'client'>, { id, organizationId, ownerUserId, isDeleted = false }: Sought): Promise<ClientRow> => {
    const deletedAt = isDeleted ? restorable() : null
    const where = { deletedAt, ...toWhere({ organizationId, ownerUserId }), OR: [...(isUuid(id) ? [{ id }] : []), { clientId: id }] }
    const row = await tx.client.findFirst({ where, include: withSecrets })
    if (!row) throw new Problem('not_found')
    return row
  }
  const lock = async (tx: TransactionClient, key: Sought): Promise<ClientRow> => {
    const { id, organizationId } = await find(tx, key)
    // Before the client, as its organization's deletion does: whether it lives is the same until this change ends.
    if (organizationId !== null) await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${organizationId}::uuid FOR SHARE`
    await tx.$queryRaw`SELECT id FROM clients WHERE id = ${id}::uuid FOR NO KEY UPDATE`
    return find(tx, key)
  }
  /** Changes a client while nobody else does; whoever remembers it looks again. */
  const changeClient = async <Result>(
    actor: Actor,
    { key, work }: { key: Sought; work: (tx: TransactionClient, row: ClientRow) => Promise<{ event: string; told?: object; result: Result }> },
  ): Promise<Result> => {
    const { clientId, result } = await change(actor, async (tx, record) => {
      const row = await lock(tx, key)
      const { event, told, result } = await work(tx, row)
      record(event, { id: row.id, client_id: row.clientId, name: row.name, ...told }, { organizationId: row.organizationId ?? undefined })
      return { clientId: row.clientId, result }
    })
    forget(clientId)
    return result
  }
  const version = { version: { increment: 1 } }

  return {
    list: async ({ isDeleted = false, ...filter }, page) => {
      const where = { ...toWhere(filter), deletedAt: isDeleted ? restorable() : null }
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
        work: async (tx, before) => {
          expect?.(toClient(before))
          if (changes.isDisabled === false) await mustBelongToTheLiving(tx, before)
          await mustBeOfferable(tx, { connections: changes.connections, organizationId: before.organizationId })
          const method = changes.authenticationMethod ?? before.tokenEndpointAuthMethod
          const isUsable = needsSecret(method) && (method === 'client_secret_jwt') === (before.tokenEndpointAuthMethod === 'client_secret_jwt')
          if (!isUsable) await tx.clientSecret.updateMany({ where: { clientId: before.id, revokedAt: null }, data: { revokedAt: now() } })
          const row = await tx.client.update({ where: { id: before.id }, data: { ...toUpdate(changes, now()), ...version }, include: withSecrets })
          await images.ask(tx, changes.metadata?.logo_uri)
          if (changes.isDisabled) await endRequests(tx, before.clientId)
          return { event: 'client.updated', result: toClient(row) }
        },
      }),
    remove: (actor, key) =>
      changeClient(actor, {
        key,
        work: async (tx, { id, clientId }) => {
          await tx.client.update({ where: { id }, data: { deletedAt: now(), ...version } })
          await endRequests(tx, clientId)
          return { event: 'client.deleted', result: undefined }
        },
      }),
    restore: (actor, key, { expect }) =>
      changeClient(actor, {
        key: { ...key, isDeleted: true },
        work: async (tx, before) => {
          expect?.(toClient(before))
          await mustBelongToTheLiving(tx, before)
          const row = await tx.client.update({ where: { id: before.id }, data: { deletedAt: null, ...version }, include: withSecrets })
          return { event: 'client.restored', result: toClient(row) }
        },
      }),
    addSecret: (actor, key, { expiresAt, expect }) =>
      changeClient(actor, {
        key,
        work: async (tx, before) => {
          expect?.(toClient(before))
          const { id, clientId, tokenEndpointAuthMethod: method, secrets: living } = before
          if (!needsSecret(method)) throw new Problem('secret_not_used')
          if (living.length >= maxSecrets) throw new Problem('too_many_secrets')
          if (method === 'client_secret_jwt' && expiresAt)
            throw new Problem('validation_failed', { fields: [{ path: 'expires_at', message: 'A secret that signs does not expire.' }] })
          // The one that signs assertions cannot be told apart from others before it is verified: there is one at a time.
          if (method === 'client_secret_jwt') await tx.clientSecret.updateMany({ where: { clientId: id, revokedAt: null }, data: { revokedAt: now() } })
          const secret = randomBytes(32).toString('base64url')
          const row = await tx.clientSecret.create({ data: { clientId: id, expiresAt, ...toSecretColumns({ clientId, secret, method }, secrets) } })
          await tx.client.update({ where: { id }, data: version })
          return { event: 'client.secret_created', told: { secret_id: row.id, hint: row.hint }, result: { clientSecret: toClientSecret(row), secret } }
        },
      }),
    revokeSecret: (actor, key, secretId) =>
      changeClient(actor, {
        key,
        work: async (tx, { id, secrets: living }) => {
          const found = living.find(secret => secret.id === secretId)
          if (!found) throw new Problem('not_found')
          await tx.clientSecret.update({ where: { id: secretId }, data: { revokedAt: now() } })
          await tx.client.update({ where: { id }, data: version })
          return { event: 'client.secret_revoked', told: { secret_id: secretId, hint: found.hint }, result: undefined }
        },
      }),
    purge: async (actor, limit) => {
      const isDue = { deletedAt: { lte: restorableSince(now()) }, OR: [{ NOT: { name: '' } }, { secrets: { some: {} } }] }
      const due = await database.prisma.client.findMany({ where: isDue, select: { id: true, clientId: true }, take: limit })
      return purgeEach(due, ({ id, clientId }) =>
        change(actor, async (tx, record) => {
          // Asked again: none that was restored meanwhile is emptied.
          const { count } = await tx.client.updateMany({ where: { id, ...isDue }, data: emptied })
          if (count === 0) throw new Problem('conflict')
          await tx.clientSecret.deleteMany({ where: { clientId: id } })
          record('client.purged', { id, client_id: clientId })
        }),
      )
    },
  }
}

/** A client that lives, or one that was deleted and can be restored. */
type Sought = ClientKey & { readonly isDeleted?: boolean }

const toWhere = ({ organizationId, ownerUserId, q }: ClientFilter): Prisma.ClientWhereInput => ({
  ...(organizationId === undefined ? {} : { organizationId }),
  // An organization's agent is its own, in whose name ever it acts.
  ...(ownerUserId === undefined ? {} : { ownerUserId, organizationId: null }),
  ...(q === undefined ? {} : { OR: [{ name: { contains: q.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } }, { clientId: q }] }),
})
