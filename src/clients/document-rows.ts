// What is kept of metadata documents, beside the clients that they make.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { FetchedDocument } from './fetch-document.ts'
import { toColumns } from './registration.ts'

/** What is known of a client with an address for an identifier. */
export interface KnownDocument {
  readonly id: string
  /** Disabled or deleted by an administrator. */
  readonly is_ended: boolean
  readonly fetched_at: Date | null
  readonly fresh_until: Date | null
  readonly refused_at: Date | null
}

const known = statement(
  'client-document',
  `SELECT c.id, c.disabled_at IS NOT NULL OR c.deleted_at IS NOT NULL AS is_ended, d.fetched_at, d.fresh_until, d.refused_at
   FROM clients c LEFT JOIN client_documents d ON d.client_id = c.id WHERE c.client_id = $1`,
)
const prolong = statement('client-document-prolong', 'UPDATE client_documents SET fresh_until = $2 WHERE client_id = $1::uuid')

const maxUnused = 5000

/** The rows. */
export type DocumentRows = ReturnType<typeof createDocumentRows>

/** Makes their reading and writing. */
export const createDocumentRows = ({ database, change, now }: { database: Database; change: Change; now: () => Date }) => ({
  find: async (clientId: string): Promise<KnownDocument | undefined> => (await database.run<KnownDocument>(known, [clientId]))[0],
  /** Looks again no earlier than then. */
  prolong: async (id: string, freshUntil: Date): Promise<void> => {
    await database.run(prolong, [id, freshUntil])
  },
  /**
   * Keeps what a document says: events tell of a new client and of one that changed. Throws `unavailable` while too many wait for their
   * first user.
   */
  keep: async (actor: Actor, { metadata, freshSeconds }: FetchedDocument): Promise<void> => {
    const { client_id: clientId } = metadata
    const columns = toColumns(metadata)
    const looks = { fetchedAt: now(), freshUntil: new Date(now().getTime() + freshSeconds * 1000), refusedAt: null }
    const before = await database.prisma.client.findUnique({ where: { clientId }, include: { document: true } })
    if (before && !before.document?.refusedAt && isSame(before, columns)) {
      await database.prisma.clientDocument.update({ where: { clientId: before.id }, data: looks })
      return
    }
    await change(actor, async (tx, record) => {
      if (!before && (await tx.client.count({ where: { source: 'document', usedAt: null } })) >= maxUnused)
        throw new Problem('unavailable', { retryAfterSeconds: 600 })
      const row = before
        ? await tx.client.update({ where: { id: before.id }, data: { ...columns, version: { increment: 1 } } })
        : await tx.client.create({ data: { clientId, source: 'document', ...columns } })
      await tx.clientDocument.upsert({ where: { clientId: row.id }, create: { clientId: row.id, ...looks }, update: looks })
      record(before ? 'client.updated' : 'client.registered', { id: row.id, client_id: clientId, name: row.name })
    })
  },
  /** Ends what a client may do until its document is good again; one event tells it. */
  refuse: async (actor: Actor, { id, clientId, freshUntil }: { id: string; clientId: string; freshUntil: Date }): Promise<void> => {
    const again = await database.prisma.clientDocument.updateMany({ where: { clientId: id, refusedAt: { not: null } }, data: { freshUntil } })
    if (again.count > 0) return
    await change(actor, async (tx, record) => {
      await tx.clientDocument.updateMany({ where: { clientId: id, refusedAt: null }, data: { refusedAt: now(), freshUntil } })
      const row = await tx.client.update({ where: { id }, data: { version: { increment: 1 } } })
      record('client.document_refused', { id, client_id: clientId, name: row.name }, { outcome: 'refused' })
    })
  },
})

const isSame = (row: object, columns: object) =>
  Object.entries(columns).every(([name, value]) => JSON.stringify(Reflect.get(row, name)) === JSON.stringify(value))
