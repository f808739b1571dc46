// Clients as the engine reads and registers them; the service keeps them.
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { ClientAdministration } from '../clients/administration.ts'
import type { Clients } from '../clients/clients.ts'
import type { DetailsTypes } from '../clients/details-types.ts'
import type { Registered } from '../clients/register.ts'
import { type ResponseType, withoutOthers } from '../clients/response-types.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { isPlainText } from '../platform/http/text.ts'
import { hashOf } from '../platform/secrets.ts'
import { strings } from '../platform/values.ts'
import { actorOf } from './actor.ts'
import { administeredGrantTypes } from './client-rules.ts'
import { isOpen } from './registration.ts'

interface Needs {
  readonly clients: Clients
  readonly clientAdministration: Pick<ClientAdministration, 'remove'>
  readonly detailsTypes: Pick<DetailsTypes, 'know'>
  /** Those that are switched on. */
  readonly responseTypes: readonly ResponseType[]
}

/** Makes the adapter. Everything but find, upsert and destroy is never asked of clients. */
export const createClientAdapter = ({ clients, clientAdministration, detailsTypes, responseTypes }: Needs): Adapter => ({
  find: async clientId => {
    const kept = (await clients.find(clientId))?.metadata
    const metadata = kept && (withoutOthers(kept, responseTypes) as AdapterPayload)
    // The engine holds them against all that it knows.
    if (Array.isArray(metadata?.authorization_details_types)) await detailsTypes.know(metadata.authorization_details_types)
    return metadata
  },
  upsert: async (clientId, metadata) => {
    if (!isPlainText(metadata)) throw new errors.InvalidClientMetadata('client metadata contains characters that text cannot have')
    if (metadata.token_endpoint_auth_method === 'client_secret_jwt' && metadata.client_secret === clients.standInSecret(clientId))
      throw new errors.InvalidClientMetadata('a secret that is kept as a digest cannot sign: register a new client for client_secret_jwt')
    const expect = async (tx: TransactionClient, before: Registered | undefined) => {
      mustBeGiven(metadata.grant_types, before)
      await takeRegistrationToken(tx)
    }
    await clients.register(actorOf(), { ...metadata, client_id: clientId }, { source: isOpen(Provider.ctx) ? 'open' : 'token', expect })
  },
  destroy: async clientId => {
    try {
      await clientAdministration.remove(actorOf(), { id: clientId })
    } catch (error) {
      // Somebody else deleted it at the same time, and the token with it.
      throw error instanceof Problem && error.code === 'not_found' ? registrationTokenGone() : error
    }
  },
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  revokeByGrantId: async () => undefined,
})

// What an administrator gave a client it keeps, and nothing more.
const mustBeGiven = (grantTypes: unknown, before: Registered | undefined): void => {
  const taken = strings(grantTypes).find(type => administeredGrantTypes.has(type) && !before?.grantTypes.includes(type))
  if (taken !== undefined) throw new errors.InvalidClientMetadata(`grant_types must not contain ${taken} for this client`)
}

// RFC 7592 §2.2: each change is answered with another token. The engine looks for this one first and destroys it last: of changes at the
// same time by one token the first to take it is the one.
const takeRegistrationToken = async (tx: TransactionClient): Promise<void> => {
  const { route, entities } = Provider.ctx?.oidc ?? {}
  const token = route === 'client_update' ? entities?.RegistrationAccessToken : undefined
  if (!token) return
  const key = new Uint8Array(hashOf('RegistrationAccessToken', token.jti))
  const taken = await tx.$executeRaw`DELETE FROM oidc_artifacts WHERE key = ${key} AND revoked_at IS NULL`
  if (taken === 0) throw registrationTokenGone()
}

const registrationTokenGone = () => new errors.InvalidToken('registration access token not found')
