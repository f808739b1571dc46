// Signing in by other providers: the kinds of them, those that were configured, and who signs in by them.
import type { AuthenticationServices } from './authentication-services.ts'
import type { Config } from './config.ts'
import { createAcceptOnce } from './connectors/accepted-assertions.ts'
import { createConnections } from './connectors/connections.ts'
import { createFindConnectionForAddress } from './connectors/find-by-domain.ts'
import { createIdentities } from './connectors/identities.ts'
import { createConnectors } from './connectors/list.ts'
import { createUpstream } from './connectors/upstream.ts'
import { createUpstreamRequests } from './connectors/upstream-requests.ts'
import { createUpstreamSignIn } from './connectors/upstream-sign-in.ts'
import type { Foundation } from './foundation.ts'
import { createOutboundFetch } from './platform/http/outbound.ts'
import type { Resources } from './resources.ts'
import type { TenantServices } from './tenant-services.ts'
import { lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'

/** These services. */
export type ConnectorServices = ReturnType<typeof createConnectorServices>

type Below = Pick<Foundation, 'change' | 'limit' | 'notify' | 'isMailPossible'> &
  Pick<AuthenticationServices, 'users' | 'proofs'> &
  Pick<TenantServices, 'joinOrganization'>

// The metadata of a federation's provider, with its certificates and their history.
const maxDocumentBytes = 512 * 1024

/** Makes them. */
export const createConnectorServices = (
  { database, secrets, now, randomBytes, outbound }: Resources,
  { change, limit, notify, isMailPossible, users, proofs, joinOrganization }: Below,
  { environment, issuer, signInMethods }: Pick<Config, 'environment' | 'issuer' | 'signInMethods'>,
) => {
  const guarded = createOutboundFetch({ isLoopbackAllowed: environment !== 'production', maxBytes: maxDocumentBytes })
  const fetch = outbound?.(guarded) ?? guarded
  const connectors = createConnectors({ fetch, now, randomBytes, acceptOnce: createAcceptOnce({ database }) })
  const connections = createConnections({ database, secrets, connectors, issuer, now })
  const upstream = createUpstream({ connections, connectors, requests: createUpstreamRequests({ database, secrets }), limit, randomBytes })
  const isEmailCodeOffered = isMailPossible && signInMethods.includes('email_code')
  return {
    connectors,
    connections,
    upstream,
    upstreamSignIn: createUpstreamSignIn({
      database,
      change,
      users,
      join: joinOrganization,
      notify,
      askVerification: (tx, actor, email) => proofs.askWithin(tx, actor, { purpose: 'email_verification', email }),
      now,
    }),
    identities: createIdentities({ database, change, connections, notify, mustAdminister, lockUser, isEmailCodeOffered }),
    findConnectionForAddress: createFindConnectionForAddress({ database }),
  }
}
