// Which connection the domain of an address leads to.
import { type Database, statement } from '../platform/data/database.ts'
import { normalizeEmail } from '../users/email.ts'

/** The id of the connection that people of this address sign in by; `undefined` where there is none. */
export type FindConnectionForAddress = (email: string) => Promise<string | undefined>

const byDomain = statement(
  'connection-for-address',
  `SELECT c.id FROM organization_domains d
   JOIN organizations o ON o.id = d.organization_id AND o.deleted_at IS NULL
   JOIN connections c ON c.organization_id = d.organization_id AND (d.connection_id IS NULL OR c.id = d.connection_id)
   WHERE d.domain = $1 AND d.verified_at IS NOT NULL AND c.deleted_at IS NULL AND c.disabled_at IS NULL
   ORDER BY c.position, c.name, c.id LIMIT 1`,
)

/** Makes the finder: of proven domains and connections that can be used. */
export const createFindConnectionForAddress =
  ({ database }: { readonly database: Database }): FindConnectionForAddress =>
  async email => {
    const normalized = normalizeEmail(email)
    if (normalized === undefined) return undefined
    const [row] = await database.run<{ id: string }>(byDomain, [normalized.slice(normalized.lastIndexOf('@') + 1)])
    return row?.id
  }
