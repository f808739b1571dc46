// Who signs in by other providers: asked, answered, found or made, linked.
import { hasPassword } from './authentication/password-row.ts'
import type { AuthenticationServices } from './authentication-services.ts'
import type { Config } from './config.ts'
import type { ConnectorServices } from './connector-services.ts'
import { createIdentities } from './connectors/identities.ts'
import { createUpstream } from './connectors/upstream.ts'
import { createUpstreamRequests } from './connectors/upstream-requests.ts'
import { createUpstreamSignIn } from './connectors/upstream-sign-in.ts'
import type { Foundation } from './foundation.ts'
import type { Resources } from './resources.ts'
import type { TenantServices } from './tenant-services.ts'
import { lockUser } from './users/administration.ts'
import { mustAdminister } from './users/admins.ts'

type Below = Pick<Foundation, 'change' | 'limit' | 'notify' | 'isMailPossible' | 'newUuid' | 'endSessionsOfIdentities'> &
  Pick<AuthenticationServices, 'users' | 'proofs' | 'acceptProof'> &
  Pick<TenantServices, 'joinOrganization'> &
  Pick<ConnectorServices, 'connections' | 'connectors' | 'verifyConnection'>

/** Makes these services. */
export const createUpstreamServices = (
  { database, secrets, now, randomBytes }: Resources,
  {
    change,
    limit,
    notify,
    isMailPossible,
    newUuid,
    endSessionsOfIdentities,
    users,
    proofs,
    acceptProof,
    joinOrganization,
    connections,
    connectors,
    verifyConnection,
  }: Below,
  { signInMethods }: Pick<Config, 'signInMethods'>,
) => {
  const offered = { isEmailCodeOffered: isMailPossible && signInMethods.includes('email_code'), isPasswordOffered: signInMethods.includes('password') }
  return {
    upstream: createUpstream({ connections, connectors, requests: createUpstreamRequests({ database, secrets, randomBytes }), limit, randomBytes }),
    upstreamSignIn: createUpstreamSignIn({
      database,
      change,
      users,
      verifyConnection,
      acceptProof,
      join: joinOrganization,
      notify,
      askVerification: (tx, actor, email) => proofs.askWithin(tx, actor, { purpose: 'email_verification', email }),
      newId: newUuid,
      now,
    }),
    identities: createIdentities({
      database,
      change,
      connections,
      verifyConnection,
      notify,
      mustAdminister,
      lockUser,
      connectors,
      endSessions: endSessionsOfIdentities,
      hasPassword,
      ...offered,
    }),
  }
}
