// Finds the client that an administrator names, and holds it while it is changed.
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import type { Prisma, TransactionClient } from '../platform/data/database.ts'
import { restorableSince } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import { isUuid } from '../platform/uuid.ts'
import type { Carried } from './carried.ts'
import type { Client } from './client.ts'
import type { ClientRow } from './client-row.ts'

/** Names a client, in one organization where that is told: the clients of others are not found. */
export interface ClientKey {
  /** The id, or the `client_id`. */
  readonly id: string
  readonly organizationId?: string
  /** The person who made the agent for themselves. */
  readonly ownerUserId?: string
}

/** A client that lives, or one that was deleted and can be restored. */
export type Sought = ClientKey & { readonly isDeleted?: boolean }

/** Which clients to list. */
export interface ClientFilter {
  readonly organizationId?: string
  /** The agents that this person made for themselves. */
  readonly ownerUserId?: string
  readonly q?: string
  readonly isDeleted?: boolean
}

/** Called with what is about to be changed, and what finds what it carries beside; throws where it must not be. */
export type Expect = (client: Client, findCarried: () => Promise<Carried>) => void | Promise<void>

/** What the row of a client is read with. */
export const withSecrets = { secrets: { where: { revokedAt: null }, orderBy: { createdAt: 'asc' } } } as const

/** What every change counts. */
export const version = { version: { increment: 1 } } as const

interface Changing<Result> {
  readonly key: Sought
  readonly work: (tx: TransactionClient, row: ClientRow, record: RecordEvent) => Promise<{ event: string; told?: object; result: Result }>
}

/** The way to clients. Each throws `not_found` for one that is not there. */
export interface SoughtClients {
  find(tx: Pick<TransactionClient, 'client'>, key: Sought): Promise<ClientRow>
  /** Changes a client while nobody else does; whoever remembers it looks again. */
  changeClient<Result>(actor: Actor, changing: Changing<Result>): Promise<Result>
}

interface Needs {
  readonly change: Change
  readonly forget: (clientId: string) => void
  readonly now: () => Date
}

/** Makes it. */
export const createSoughtClients = ({ change, forget, now }: Needs): SoughtClients => {
  const find = async (tx: Pick<TransactionClient, 'client'>, { id, organizationId, ownerUserId, isDeleted = false }: Sought): Promise<ClientRow> => {
    const deletedAt = isDeleted ? { gt: restorableSince(now()) } : null
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
  const changeClient = async <Result>(actor: Actor, { key, work }: Changing<Result>): Promise<Result> => {
    const { clientId, result } = await change(actor, async (tx, record) => {
      const row = await lock(tx, key)
      const { event, told, result } = await work(tx, row, record)
      record(event, { id: row.id, client_id: row.clientId, name: row.name, ...told }, { organizationId: row.organizationId ?? undefined })
      return { clientId: row.clientId, result }
    })
    forget(clientId)
    return result
  }
  return { find, changeClient }
}

/** The condition on the rows of those that are listed. */
export const toWhere = ({ organizationId, ownerUserId, q }: ClientFilter): Prisma.ClientWhereInput => ({
  ...(organizationId === undefined ? {} : { organizationId }),
  // An organization's agent is its own, in whose name ever it acts.
  ...(ownerUserId === undefined ? {} : { ownerUserId, organizationId: null }),
  ...(q === undefined ? {} : { OR: [{ name: { contains: q.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } }, { clientId: q }] }),
})
