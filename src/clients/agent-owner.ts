// Whose agent a client is, in the words that people know them by.
import { type Database, statement } from '../platform/data/database.ts'

const owner = statement(
  'agent-owner',
  `SELECT coalesce(o.name, u.email) AS name FROM clients c
   LEFT JOIN organizations o ON o.id = c.organization_id LEFT JOIN users u ON u.id = c.owner_user_id WHERE c.client_id = $1 AND c.is_agent`,
)

/** The name of the organization, or the address of the person; nothing for a client that is no agent. One statement. */
export type FindAgentOwner = (clientId: string) => Promise<string | undefined>

/** Makes it. */
export const createFindAgentOwner =
  (database: Database): FindAgentOwner =>
  async clientId =>
    (await database.run<{ name: string }>(owner, [clientId]))[0]?.name
