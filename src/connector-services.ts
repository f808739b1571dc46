// Signing in by other providers: the kinds of them, those that were configured, and the domains that lead to them.
import type { Config } from './config.ts'
import { createAcceptOnce } from './connectors/accepted-assertions.ts'
import { createShow } from './connectors/administered.ts'
import { createConnectionAdministration } from './connectors/administration.ts'
import { createOpenRow } from './connectors/configured.ts'
import { createConnections } from './connectors/connections.ts'
import { createRecheckDomains } from './connectors/domain-watch.ts'
import { createDomains } from './connectors/domains.ts'
import { createHomeRealm } from './connectors/home-realm.ts'
import { createConnectors } from './connectors/list.ts'
import { createProbe } from './connectors/probe.ts'
import { createSettingsConnections } from './connectors/settings-connections.ts'
import { createVerifyConnection } from './connectors/verify-connection.ts'
import type { Foundation } from './foundation.ts'
import { organizationIdSchema } from './organizations/organization.ts'
import { lockOrganization as lock } from './organizations/organizations.ts'
import type { TransactionClient } from './platform/data/database.ts'
import type { Resources } from './resources.ts'
import type { TenantServices } from './tenant-services.ts'
import { unproveEmails } from './users/unprove-emails.ts'

/** These services. */
export type ConnectorServices = ReturnType<typeof createConnectorServices>

type Below = Pick<Foundation, 'feed' | 'endSessionsOfIdentities' | 'change' | 'limit' | 'newUuid' | 'outbound'> & Pick<TenantServices, 'mustHoldRoleNames'>

// The metadata of a federation's provider, with its certificates and their history.
const maxDocumentBytes = 512 * 1024

/** Makes them. */
export const createConnectorServices = (
  { database, secrets, log, now, randomBytes, resolveTxt }: Resources,
  { feed, endSessionsOfIdentities, change, limit, newUuid, outbound, mustHoldRoleNames }: Below,
  { issuer, providers }: Pick<Config, 'issuer' | 'providers'>,
) => {
  const fetch = outbound({ maxBytes: maxDocumentBytes })
  const connectors = createConnectors({ fetch, now, randomBytes, acceptOnce: createAcceptOnce({ database }) })
  const openRow = createOpenRow({ secrets, connectors, providers, issuer })
  const connections = createConnections({ database, connectors, providers, openRow, feed, now })
  const lockOrganization = (tx: TransactionClient, id: string) => lock(tx, organizationIdSchema.parse(id))
  const connectionAdministration = createConnectionAdministration({
    ...{ database, change, secrets, connectors, lockOrganization, mustHoldRoleNames, newUuid, now },
    show: createShow({ connectors, providers, issuer }),
    endSessions: endSessionsOfIdentities,
    forget: connections.forget,
  })
  return {
    connectors,
    connections,
    verifyConnection: createVerifyConnection(openRow),
    connectionAdministration,
    connectionProbe: createProbe({ database, change, connectors, openRow, fetch, limit, log }),
    settingsConnections: createSettingsConnections({ change, connectors, providers }),
    domains: createDomains({ database, change, lockOrganization, resolveTxt, limit, randomBytes, endSessions: endSessionsOfIdentities, unproveEmails, now }),
    recheckDomains: createRecheckDomains({ database, change, resolveTxt, now }),
    ...createHomeRealm({ database, connectors }),
  }
}
