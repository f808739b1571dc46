// Client metadata that our API is given, checked by the engine's own rules: what it would not load is not kept.
import { errors } from 'oidc-provider'
import type { CheckMetadata } from '../clients/client.ts'
import { needsSecret } from '../clients/client.ts'
import { newClientBody } from '../clients/client-output.ts'
import { encryptionFault, keysFault } from '../clients/key-rules.ts'
import { redirectUriFault } from '../clients/redirect-rules.ts'
import { responseTypeFault } from '../clients/response-types.ts'
import { profileFaults, readProfile } from '../clients/security-profile.ts'
import { clearFault, serverAddressFault } from '../clients/server-addresses.ts'
import { type FieldFault, Problem } from '../platform/errors.ts'
import type { Engine } from './provider.ts'

/** Makes the check. The engine's constructor is its schema; a secret is only there so that it misses none. */
export const createCheckMetadata =
  (engine: Engine): CheckMetadata =>
  metadata => {
    // The engine looks at these for native applications only.
    for (const path of ['redirect_uris', 'post_logout_redirect_uris']) verifyReturns(path, [metadata[path]].flat())
    const fault = serverAddressFault(metadata) ?? responseTypeFault(metadata)
    if (fault) throw refused([fault])
    const faults = profileFaults(readProfile(metadata.security_profile), metadata)
    if (faults.length > 0) throw refused(faults)
    const weak = keysFault(metadata.jwks) ?? encryptionFault(metadata)
    if (weak !== undefined) throw refused([{ path: 'jwks', message: weak }])
    const secret = needsSecret(String(metadata.token_endpoint_auth_method)) ? { client_secret: 'x'.repeat(43) } : {}
    try {
      Reflect.construct(engine.current().Client, [{ ...metadata, ...secret }])
    } catch (error) {
      if (!(error instanceof errors.InvalidClientMetadata || error instanceof errors.InvalidRedirectUri)) throw error
      const message = error.error_description ?? error.message
      const path = /^[a-z_]+/.exec(message)?.[0] ?? ''
      throw refused([{ path: path in metadata ? path : isKeys(path) ? 'jwks' : '', message }], error)
    }
  }

// What stands in `metadata` of the body is told as that.
const refused = (faults: readonly FieldFault[], cause?: unknown) =>
  new Problem('validation_failed', {
    cause,
    fields: faults.map(({ path, message }) => ({ path: path === '' || path in newClientBody.shape ? path : `metadata.${path}`, message })),
  })

// The engine says of a client without keys that either way to give them is missing.
const isKeys = (path: string): boolean => path === 'jwks' || path === 'jwks_uri'

const verifyReturns = (path: string, addresses: readonly unknown[]) => {
  for (const address of addresses) {
    const message = (path === 'redirect_uris' ? redirectUriFault(String(address)) : undefined) ?? clearFault(address)
    if (message !== undefined) throw refused([{ path, message }])
  }
}
