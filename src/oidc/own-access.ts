// What a client may ask for itself, with nobody behind the request.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isPersonal } from '../clients/agent.ts'
import type { Registration } from '../clients/client.ts'
import { jwtBearerGrantType } from '../clients/grant-types.ts'
import type { ResourceServer } from '../clients/resource-server.ts'

const ownGrantTypes: ReadonlySet<unknown> = new Set(['client_credentials', jwtBearerGrantType])

/** Whether the token that is asked for is the client's own. */
export const isForItself = ({ oidc }: KoaContextWithOIDC): boolean => oidc.route === 'token' && ownGrantTypes.has(oidc.params?.grant_type)

/**
 * Which clients get tokens for themselves. Anybody may make agents of their own: for itself one gets what an administrator listed it for,
 * and nothing that is open to all clients.
 */
export const ownAccess = (server: ResourceServer, registration: Registration | undefined): ResourceServer['clientAccess'] =>
  isPersonal(registration) ? 'listed' : server.clientAccess
