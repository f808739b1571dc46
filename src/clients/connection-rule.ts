// Which upstream providers the pages of a client offer: those of the system and of its organization, or only those that it names.
import type { ConnectionRule } from '../connectors/connection.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Clients } from './clients.ts'

/** Finds it; at most a second old. For a client that is not there, those of the system. */
export type FindConnectionRule = (clientId: string) => Promise<ConnectionRule>

/** Makes the finder. */
export const createFindConnectionRule =
  ({ clients }: { readonly clients: Pick<Clients, 'find'> }): FindConnectionRule =>
  async clientId => {
    const client = await clients.find(clientId)
    return { organizationId: client?.organizationId, clientConnections: client?.connections, isFirstParty: client?.isFirstParty }
  }

interface Offering {
  readonly connections?: readonly string[] | null | undefined
  readonly organizationId?: string | null | undefined
}

/** Throws `validation_failed` for connections that are neither of the system nor of the client's organization. */
export const mustBeOfferable = async (tx: TransactionClient, { connections, organizationId }: Offering): Promise<void> => {
  if (!connections || connections.length === 0) return
  const owners = [{ organizationId: null }, ...(organizationId ? [{ organizationId }] : [])]
  const found = await tx.connection.count({ where: { id: { in: [...connections] }, deletedAt: null, OR: owners } })
  if (found < connections.length)
    throw new Problem('validation_failed', { fields: [{ path: 'connections', message: 'must be connections of the system or of the client’s organization' }] })
}
