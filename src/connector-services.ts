// Signing in by other providers: the kinds of them, and those that were configured.
import type { Config } from './config.ts'
import { createAcceptOnce } from './connectors/accepted-assertions.ts'
import { createConnections } from './connectors/connections.ts'
import { createConnectors } from './connectors/list.ts'
import { createOutboundFetch } from './platform/http/outbound.ts'
import type { Resources } from './resources.ts'

/** These services. */
export type ConnectorServices = ReturnType<typeof createConnectorServices>

// The metadata of a federation's provider, with its certificates and their history.
const maxDocumentBytes = 512 * 1024

/** Makes them. */
export const createConnectorServices = (
  { database, secrets, now, randomBytes, outbound }: Resources,
  { environment, issuer }: Pick<Config, 'environment' | 'issuer'>,
) => {
  const guarded = createOutboundFetch({ isLoopbackAllowed: environment !== 'production', maxBytes: maxDocumentBytes })
  const fetch = outbound?.(guarded) ?? guarded
  const connectors = createConnectors({ fetch, now, randomBytes, acceptOnce: createAcceptOnce({ database }) })
  const connections = createConnections({ database, secrets, connectors, issuer, now })
  return { connectors, connections }
}
