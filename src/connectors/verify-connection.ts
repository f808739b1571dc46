// Verifies that a connection may still be used and means whom it meant, when what its provider said is written down.
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { OpenRow } from './configured.ts'
import type { Connection } from './connection.ts'
import { usable } from './usable.ts'

/** Throws `connection_gone`. Nobody changes the connection until the transaction ends; its organization is locked before it. */
export type VerifyConnection = (tx: TransactionClient, connection: Pick<Connection, 'id' | 'authority'>) => Promise<void>

/** Makes the verification. */
export const createVerifyConnection =
  (openRow: OpenRow): VerifyConnection =>
  async (tx, { id, authority }) => {
    await tx.$queryRaw`SELECT id FROM connections WHERE id = ${id}::uuid FOR SHARE`
    const row = await tx.connection.findFirst({ where: { id, ...usable } })
    const open = row && openRow(row)
    if (!open || open.connector.authorityOf(open.configured.settings) !== authority) throw new Problem('connection_gone')
  }
