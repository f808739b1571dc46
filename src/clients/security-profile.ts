// What a security profile demands of a client (FAPI 2.0): what it may leave unsaid, and what it may not say.
import { deviceGrantType } from './grant-types.ts'

/** The profiles: FAPI 2.0 Security Profile, and with FAPI 2.0 Message Signing over it. */
export const securityProfiles = ['fapi2', 'fapi2_message_signing'] as const
export type SecurityProfile = (typeof securityProfiles)[number]

/** What a client of a profile may sign with, and we for it (FAPI 2.0 Security Profile §5.4.1). */
export const profileAlgorithms: ReadonlySet<unknown> = new Set(['PS256', 'ES256', 'EdDSA', 'Ed25519'])

/** One thing that a profile refuses. */
export interface ProfileFault {
  readonly path: string
  readonly message: string
}

type Metadata = Readonly<Record<string, unknown>>
type Rule = readonly [path: string, isBroken: (metadata: Metadata) => boolean, message: string]

/** Reads the column. */
export const readProfile = (value: unknown): SecurityProfile | undefined => securityProfiles.find(profile => profile === value)

const signedByUs = ['id_token_signed_response_alg', 'introspection_signed_response_alg', 'authorization_signed_response_alg'] as const
const signedByClients = ['request_object_signing_alg', 'backchannel_authentication_request_signing_alg', 'token_endpoint_auth_signing_alg'] as const
const messageSigningModes = ['jwt', 'query.jwt', 'form_post.jwt', 'fragment.jwt']

/** Registered metadata that the profile stands for where a client says nothing. */
export const profileDefaults = (profile: SecurityProfile | undefined): Metadata => {
  if (profile === undefined) return {}
  const isSigning = profile === 'fapi2_message_signing'
  return {
    security_profile: profile,
    require_pushed_authorization_requests: true,
    ...Object.fromEntries(signedByUs.map(name => [name, 'ES256'])),
    ...(isSigning ? { require_signed_request_object: true, response_modes: messageSigningModes } : {}),
  }
}

/** What of the metadata, with the defaults in it, the profile refuses; the section of each stands beside it. */
export const profileFaults = (profile: SecurityProfile | undefined, metadata: Metadata): readonly ProfileFault[] => {
  if (profile === undefined) return []
  const rules = profile === 'fapi2' ? baseline : [...baseline, ...messageSigning]
  return rules.filter(([, isBroken]) => isBroken(metadata)).map(([path, , message]) => ({ path, message }))
}

const methods: ReadonlySet<unknown> = new Set(['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'])
const weakAlgorithm = 'must be PS256, ES256 or EdDSA'
const algorithmRule = (path: string): Rule => [path, ({ [path]: alg }) => alg !== undefined && !profileAlgorithms.has(alg), weakAlgorithm]

// FAPI 2.0 Security Profile Final.
const baseline: readonly Rule[] = [
  // §5.3.2.1 (3), (6): confidential clients, by mutual TLS or a signed assertion.
  ['token_endpoint_auth_method', metadata => !methods.has(metadata.token_endpoint_auth_method), 'must be private_key_jwt or mutual TLS'],
  // §5.3.2.1 (4), (5).
  [
    'dpop_bound_access_tokens',
    metadata => metadata.dpop_bound_access_tokens !== true && metadata.tls_client_certificate_bound_access_tokens !== true,
    'must be true, unless tls_client_certificate_bound_access_tokens is',
  ],
  // §5.3.2.2 (2), (3).
  ['require_pushed_authorization_requests', metadata => metadata.require_pushed_authorization_requests !== true, 'must be true'],
  // §5.3.2.2 (1).
  ['response_types', metadata => [metadata.response_types ?? []].flat().some(type => type !== 'code'), 'must be code'],
  // §5.3.2.2 (5).
  ['require_pkce', metadata => metadata.require_pkce === false, 'must be true'],
  // §5.3.2.2 (8): not in the clear, but on the loopback of a native application.
  ['redirect_uris', metadata => [metadata.redirect_uris ?? []].flat().some(uri => isClear(String(uri), metadata)), 'must be https'],
  // §5.3.2.2 (1): a person at another device than the client's is outside the attacker model.
  ['grant_types', metadata => [metadata.grant_types ?? []].flat().includes(deviceGrantType), 'must not contain the device grant'],
  ...[...signedByUs, 'userinfo_signed_response_alg', ...signedByClients].map(algorithmRule),
]

// FAPI 2.0 Message Signing Final.
const messageSigning: readonly Rule[] = [
  // §5.3.1.
  ['require_signed_request_object', metadata => metadata.require_signed_request_object !== true, 'must be true'],
  // §5.4.1: answers come signed.
  [
    'response_modes',
    ({ response_modes: modes }) => !Array.isArray(modes) || !modes.every(mode => messageSigningModes.includes(mode)),
    'must be those that end in jwt',
  ],
]

const isClear = (uri: string, { application_type: type }: Metadata) => type !== 'native' && uri.startsWith('http:')
