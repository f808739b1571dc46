// What metadata of clients must not say, beyond the engine's own rules; the engine asks whenever it constructs a client.
import Provider, { type Configuration, errors } from 'oidc-provider'
import { type Registration, redirectUriFault } from '../clients/client.ts'
import { cibaGrantType, jwtBearerGrantType } from '../clients/grant-types.ts'
import { profileFaults, readProfile } from '../clients/security-profile.ts'
import { isOneLine } from '../platform/http/text.ts'

type Rules = NonNullable<Configuration['extraClientMetadata']>

/** Makes the rules. Those of addresses hold where a client is registered: what was kept before goes on. */
export const clientRules = (registrationOf: (client: object) => Registration | undefined): Rules => ({
  // Not extra at all: naming them has the engine ask, once for each.
  properties: ['grant_types', 'redirect_uris', 'client_name', 'software_statement', 'security_profile'],
  validator: (_ctx, name, value, metadata) => {
    const { token_endpoint_auth_method: method } = metadata
    // RFC 6749 §4.4: the client credentials grant is for confidential clients alone.
    if (name === 'grant_types' && method === 'none' && Array.isArray(value) && value.includes('client_credentials'))
      throw new errors.InvalidClientMetadata('grant_types must not contain client_credentials where token_endpoint_auth_method is none')
    // RFC 7591 §2.3: nobody's statements are trusted here, so none is taken for true nor passed over.
    if (name === 'software_statement' && value !== undefined && isRegistering())
      throw new errors.CustomOIDCProviderError('unapproved_software_statement', 'software statements are not accepted')
    if (name === 'grant_types' && Array.isArray(value) && value.includes(cibaGrantType)) {
      // CIBA Core §4: who may ask people by their address is confidential, and an administrator's decision.
      if (method === 'none' || isRegistering()) throw new errors.InvalidClientMetadata(`grant_types must not contain ${cibaGrantType} for this client`)
    }
    if (name === 'grant_types' && Array.isArray(value) && value.includes(jwtBearerGrantType)) verifyMayAssert(metadata)
    if (name === 'redirect_uris' && isRegistering()) verifyRedirectUris(value)
    if (name === 'client_name' && isRegistering() && typeof value === 'string' && !isOneLine(value))
      throw new errors.InvalidClientMetadata('client_name must be one line without control characters')
    if (name === 'security_profile') holdToProfile(metadata, registrationOf)
  },
})

// A service account is an administrator's decision, and nobody asserts without keys of their own (RFC 7523 §3).
const verifyMayAssert = ({ jwks, jwks_uri: jwksUri }: { readonly [name: string]: unknown }): void => {
  if (isRegistering()) throw new errors.InvalidClientMetadata(`grant_types must not contain ${jwtBearerGrantType} for this client`)
  if (jwks === undefined && jwksUri === undefined)
    throw new errors.InvalidClientMetadata(`grant_types must not contain ${jwtBearerGrantType} without jwks or jwks_uri`)
}

const verifyRedirectUris = (uris: unknown): void => {
  const fault = Array.isArray(uris) ? uris.map(uri => redirectUriFault(String(uri))).find(Boolean) : undefined
  if (fault !== undefined) throw new errors.InvalidRedirectUri(`redirect_uris ${fault}`)
}

// A client's administrators set its profile: registration cannot, and a client that has one registers nothing beneath it.
const holdToProfile = (metadata: { [name: string]: unknown }, registrationOf: (client: object) => Registration | undefined): void => {
  if (isRegistering()) {
    const client = Provider.ctx?.oidc?.client
    metadata.security_profile = client && registrationOf(client)?.securityProfile
  }
  const [fault] = profileFaults(readProfile(metadata.security_profile), metadata)
  if (fault) throw new errors.InvalidClientMetadata(`${fault.path} ${fault.message} (security_profile)`)
}

const isRegistering = () => ['registration', 'client_update'].includes(Provider.ctx?.oidc?.route ?? '')
