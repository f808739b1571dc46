// What metadata of clients must not say, beyond the engine's own rules; the engine asks whenever it constructs a client.
import { type Configuration, errors } from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import { cibaGrantType, jwtBearerGrantType } from '../clients/grant-types.ts'
import { encryptionFault, keysFault } from '../clients/key-rules.ts'
import { profileFaults, readProfile } from '../clients/security-profile.ts'
import { isOneLine, isVisible } from '../platform/http/text.ts'

type Rules = NonNullable<Configuration['extraClientMetadata']>

/** Makes the rules. Those of addresses hold where a client is registered: what was kept before goes on. */
export const clientRules = (registrationOf: (client: object) => Registration | undefined): Rules => ({
  // Not extra at all: naming them has the engine ask, once for each.
  properties: ['grant_types', 'client_name', 'software_statement', 'security_profile', 'jwks'],
  validator: (ctx, name, value, metadata) => {
    const { token_endpoint_auth_method: method } = metadata
    // The engine hands on the request that registers or changes a client; none where it reads one that was kept.
    const isRegistering = ctx !== undefined
    // RFC 6749 §4.4: the client credentials grant is for confidential clients alone.
    if (name === 'grant_types' && method === 'none' && Array.isArray(value) && value.includes('client_credentials'))
      throw new errors.InvalidClientMetadata('grant_types must not contain client_credentials where token_endpoint_auth_method is none')
    // RFC 7591 §2.3: nobody's statements are trusted here, so none is taken for true nor passed over.
    if (name === 'software_statement' && value !== undefined && isRegistering)
      throw new errors.CustomOIDCProviderError('unapproved_software_statement', 'software statements are not accepted')
    // CIBA Core §4: who may ask people by their address is confidential.
    if (name === 'grant_types' && method === 'none' && Array.isArray(value) && value.includes(cibaGrantType))
      throw new errors.InvalidClientMetadata(`grant_types must not contain ${cibaGrantType} for this client`)
    if (name === 'grant_types' && Array.isArray(value) && value.includes(jwtBearerGrantType)) verifyMayAssert(metadata)
    if (name === 'client_name' && isRegistering && typeof value === 'string' && !(isOneLine(value) && isVisible(value)))
      throw new errors.InvalidClientMetadata('client_name must be one line that shows something, without control characters')
    if (name === 'jwks' && isRegistering) verifyKeys(metadata)
    if (name === 'security_profile') {
      if (isRegistering) metadata.security_profile = ctx.oidc.client && registrationOf(ctx.oidc.client)?.securityProfile
      holdToProfile(metadata)
    }
  },
})

const verifyKeys = (metadata: { readonly [name: string]: unknown }): void => {
  const fault = keysFault(metadata.jwks) ?? encryptionFault(metadata)
  if (fault !== undefined) throw new errors.InvalidClientMetadata(`jwks ${fault}`)
}

/** What a client has by an administrator's decision alone: by registering it keeps it, and never gets it. */
export const administeredGrantTypes: ReadonlySet<string> = new Set([cibaGrantType, jwtBearerGrantType])

// Nobody asserts without keys of their own (RFC 7523 §3).
const verifyMayAssert = ({ jwks, jwks_uri: jwksUri }: { readonly [name: string]: unknown }): void => {
  if (jwks === undefined && jwksUri === undefined)
    throw new errors.InvalidClientMetadata(`grant_types must not contain ${jwtBearerGrantType} without jwks or jwks_uri`)
}

// A client's administrators set its profile: registration cannot, and a client that has one registers nothing beneath it.
const holdToProfile = (metadata: { [name: string]: unknown }): void => {
  const [fault] = profileFaults(readProfile(metadata.security_profile), metadata)
  if (fault) throw new errors.InvalidClientMetadata(`${fault.path} ${fault.message} (security_profile)`)
}
