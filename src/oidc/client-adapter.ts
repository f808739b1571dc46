// Clients as the engine reads and registers them; the service keeps them.
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Clients } from '../clients/clients.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import { isPlainText } from '../platform/http/text.ts'
import { actorOf } from './actor.ts'
import { isOpen } from './registration.ts'

/** Makes the adapter. Everything but find, upsert and destroy is never asked of clients. */
export const createClientAdapter = (clients: Clients, detailsTypes: Pick<DetailsTypes, 'know'>): Adapter => ({
  find: async clientId => {
    const metadata = (await clients.find(clientId))?.metadata as AdapterPayload | undefined
    // The engine holds them against all that it knows.
    if (Array.isArray(metadata?.authorization_details_types)) await detailsTypes.know(metadata.authorization_details_types)
    return metadata
  },
  upsert: async (clientId, metadata) => {
    if (!isPlainText(metadata)) throw new errors.InvalidClientMetadata('client metadata contains characters that text cannot have')
    if (metadata.token_endpoint_auth_method === 'client_secret_jwt' && metadata.client_secret === clients.standInSecret(clientId))
      throw new errors.InvalidClientMetadata('a secret that is kept as a digest cannot sign: register a new client for client_secret_jwt')
    await clients.register(actorOf(), { ...metadata, client_id: clientId }, { source: isOpen(Provider.ctx) ? 'open' : 'token' })
  },
  destroy: clientId => clients.remove(actorOf(), clientId),
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  revokeByGrantId: async () => undefined,
})
