// What a person says of an agent of their own, as a client's metadata; held to the bounds of clients that nobody vouches for.
import { type FieldFault, Problem } from '../platform/errors.ts'
import type { Client, ClientChanges, ClientMetadata } from './client.ts'
import { deviceGrantType, jwtBearerGrantType } from './grant-types.ts'
import { keysFault } from './key-rules.ts'
import { maxMetadataLength, maxRedirectUris, returnFault } from './open-bounds.ts'
import { isLoopback } from './redirect-rules.ts'

/** Public keys. */
export interface AgentKeys {
  readonly keys: readonly object[]
}

/** What a person says of an agent. */
export interface AgentWords {
  readonly name: string
  /** Where the person comes back to; none: it signs in by a device code. */
  readonly redirectUris: readonly string[]
  /** Its public keys, by which it authenticates; absent: by a secret. */
  readonly jwks?: AgentKeys | undefined
}

/** The columns of a client. */
export const toNewColumns = ({ name, redirectUris, jwks }: AgentWords) => ({
  name,
  redirectUris,
  metadata: { ...keysOf(jwks), ...applicationTypeOf(redirectUris) } satisfies ClientMetadata,
  authenticationMethod: jwks ? ('private_key_jwt' as const) : ('client_secret_basic' as const),
  grantTypes: [
    ...(redirectUris.length > 0 ? ['authorization_code'] : []),
    'refresh_token',
    'client_credentials',
    deviceGrantType,
    ...(jwks ? [jwtBearerGrantType] : []),
  ],
})

/** The changes of an agent; what an administrator said of it beside them stays. */
export const toAgentChanges = (before: Client, { name, redirectUris, jwks }: Partial<AgentWords>): ClientChanges => {
  if (redirectUris === undefined && jwks === undefined) return { name }
  const { application_type: _type, ...metadata } = before.metadata
  const returns = redirectUris ?? before.redirectUris
  return {
    name,
    redirectUris,
    grantTypes: [
      ...(returns.length > 0 ? ['authorization_code'] : []),
      ...before.grantTypes.filter(type => type !== 'authorization_code' && type !== jwtBearerGrantType),
      ...(jwks || before.grantTypes.includes(jwtBearerGrantType) ? [jwtBearerGrantType] : []),
    ],
    metadata: { ...metadata, ...keysOf(jwks), ...applicationTypeOf(returns) },
    ...(jwks ? { authenticationMethod: 'private_key_jwt' as const } : {}),
  }
}

/** Throws `validation_failed` with each field that is beyond the bounds. */
export const mustBeWithinBounds = ({ redirectUris = [], jwks }: Partial<AgentWords>, issuer: string): void => {
  const returns = redirectUris.map((uri, at) => faultAt(`redirect_uris.${at}`, returnFault(uri, issuer)))
  const fields = [
    faultAt('redirect_uris', redirectUris.length > maxRedirectUris ? 'are too many' : undefined),
    ...returns,
    faultAt('jwks', jwks && JSON.stringify(jwks).length > maxMetadataLength ? 'is too large' : keysFault(jwks)),
  ].filter(field => field !== undefined)
  if (fields.length > 0) throw new Problem('validation_failed', { fields })
}

const faultAt = (path: string, message: string | undefined): FieldFault | undefined => (message === undefined ? undefined : { path, message })

const keysOf = (jwks: AgentKeys | undefined) => (jwks ? { jwks } : {})

// RFC 8252 §7.3: what comes back to the loopback is an app on somebody's machine.
const applicationTypeOf = (redirectUris: readonly string[]) => (redirectUris.some(isLoopback) ? { application_type: 'native' } : {})
