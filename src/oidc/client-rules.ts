// What metadata of clients must not say, beyond the engine's own rules; the engine asks whenever it constructs a client.
import Provider, { type Configuration, errors } from 'oidc-provider'
import { redirectUriFault } from '../clients/client.ts'
import { isOneLine } from '../platform/http/text.ts'
import { cibaGrantType } from './backchannel-request.ts'

type Rules = NonNullable<Configuration['extraClientMetadata']>

/** Makes the rules. Those of addresses hold where a client is registered: what was kept before goes on. */
export const clientRules = (): Rules => ({
  // Not extra at all: naming them has the engine ask, once for each.
  properties: ['grant_types', 'redirect_uris', 'client_name'],
  validator: (_ctx, name, value, { token_endpoint_auth_method: method }) => {
    // RFC 6749 §4.4: the client credentials grant is for confidential clients alone.
    if (name === 'grant_types' && method === 'none' && Array.isArray(value) && value.includes('client_credentials'))
      throw new errors.InvalidClientMetadata('grant_types must not contain client_credentials where token_endpoint_auth_method is none')
    if (name === 'grant_types' && Array.isArray(value) && value.includes(cibaGrantType)) {
      // CIBA Core §4: who may ask people by their address is confidential, and an administrator's decision.
      if (method === 'none' || isRegistering()) throw new errors.InvalidClientMetadata(`grant_types must not contain ${cibaGrantType} for this client`)
    }
    if (name === 'redirect_uris' && isRegistering()) verifyRedirectUris(value)
    if (name === 'client_name' && isRegistering() && typeof value === 'string' && !isOneLine(value))
      throw new errors.InvalidClientMetadata('client_name must be one line without control characters')
  },
})

const verifyRedirectUris = (uris: unknown): void => {
  const fault = Array.isArray(uris) ? uris.map(uri => redirectUriFault(String(uri))).find(Boolean) : undefined
  if (fault !== undefined) throw new errors.InvalidRedirectUri(`redirect_uris ${fault}`)
}

const isRegistering = () => ['registration', 'client_update'].includes(Provider.ctx?.oidc?.route ?? '')
