// Whose agents clients are, in the words that people know them by.
import { type Database, statement } from '../platform/data/database.ts'

const owners = statement(
  'agent-owners',
  `SELECT c.client_id AS "clientId", coalesce(o.name, u.email) AS name FROM clients c
   LEFT JOIN organizations o ON o.id = c.organization_id LEFT JOIN users u ON u.id = c.owner_user_id WHERE c.client_id = ANY ($1::text[]) AND c.is_agent`,
)

/**
 * By `client_id`: the name of the organization, or the address of the person; clients that are no agents are not in it. One statement. An
 * address is told only to whoever acts in it: on pages for somebody who is known, and to who holds a code of the agent's.
 */
export type FindAgentOwners = (clientIds: readonly string[]) => Promise<ReadonlyMap<string, string>>

/** Makes it. */
export const createFindAgentOwners =
  (database: Database): FindAgentOwners =>
  async clientIds => {
    if (clientIds.length === 0) return new Map()
    const rows = await database.run<{ clientId: string; name: string }>(owners, [clientIds])
    return new Map(rows.map(({ clientId, name }) => [clientId, name]))
  }
