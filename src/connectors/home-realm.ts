// Which organization speaks for an address, and by which of its connections the person signs in: asked on the way in, in one statement.
import { type Database, statement } from '../platform/data/database.ts'
import { isUuid } from '../platform/uuid.ts'
import { domainOf, normalizeDomain } from './domain-name.ts'
import type { Connectors } from './list.ts'
import { isProvenBy } from './proven-domain.ts'

/** What the sign-in pages ask of domains. */
export interface HomeRealm {
  /** The connection that addresses of this domain are sent to; `undefined` where no living organization has proven it, or has none that works. */
  findConnectionForAddress(email: string): Promise<string | undefined>
  /** Whether a living organization has proven the domain. */
  isDomainProvenBy(organizationId: string, domain: string): Promise<boolean>
}

// The chosen one where it works, else the first.
const byDomain = statement(
  'connection-by-domain',
  `SELECT c.id FROM organization_domains d JOIN organizations o ON o.id = d.organization_id JOIN connections c ON c.organization_id = d.organization_id
   WHERE d.domain = $1 AND d.verified_at IS NOT NULL AND o.deleted_at IS NULL AND c.deleted_at IS NULL AND c.disabled_at IS NULL AND c.connector = ANY($2)
   ORDER BY (c.id = d.connection_id) IS TRUE DESC, c.position, c.name, c.id LIMIT 1`,
)

/** Makes it. */
export const createHomeRealm = ({ database, connectors }: { readonly database: Database; readonly connectors: Connectors }): HomeRealm => ({
  findConnectionForAddress: async email => {
    const domain = email.includes('@') ? domainOf(email) : undefined
    if (domain === undefined) return undefined
    const [row] = await database.run<{ id: string }>(byDomain, [domain, [...connectors.keys()]])
    return row?.id
  },
  isDomainProvenBy: async (organizationId, given) => {
    const domain = normalizeDomain(given)
    return domain !== undefined && isUuid(organizationId) && isProvenBy(database.prisma, { organizationId, domain })
  },
})
