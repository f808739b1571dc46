// Signing in by other providers: the kinds of them, and those that were configured.
import type { Config } from './config.ts'
import { createAcceptOnce } from './connectors/accepted-assertions.ts'
import { createConnections } from './connectors/connections.ts'
import { createConnectors } from './connectors/list.ts'
import type { Foundation } from './foundation.ts'
import type { Resources } from './resources.ts'

/** These services. */
export type ConnectorServices = ReturnType<typeof createConnectorServices>

// The metadata of a federation's provider, with its certificates and their history.
const maxDocumentBytes = 512 * 1024

/** Makes them. */
export const createConnectorServices = (
  { database, secrets, now, randomBytes, reroute }: Resources,
  { outbound }: Foundation,
  { issuer }: Pick<Config, 'issuer'>,
) => {
  const guarded = outbound({ maxBytes: maxDocumentBytes })
  const fetch = reroute?.(guarded) ?? guarded
  const connectors = createConnectors({ fetch, now, randomBytes, acceptOnce: createAcceptOnce({ database }) })
  const connections = createConnections({ database, secrets, connectors, issuer, now })
  return { connectors, connections }
}
