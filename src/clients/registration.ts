// Turns a client's rows into registered metadata and back.

import { hash } from 'node:crypto'
import { readBranding } from '../platform/branding-settings.ts'
import { isEqualSecret, type Secrets } from '../platform/secrets.ts'
import { isObject, strings } from '../platform/values.ts'
import { type ClientMetadata, isVouchedFor, type KeptSecret, needsSecret, type Registration } from './client.ts'
import { type ClientColumns, connectionsOf, sourceOf } from './client-row.ts'
import { profileDefaults, readProfile } from './security-profile.ts'
import { readTokenExchange } from './token-exchange.ts'

/** A client with what its living secrets are compared by, as Prisma reads it for the protocol. */
export interface RegistrationRow extends ClientColumns {
  secrets: { digest: Uint8Array | null; sealed: string | null; expiresAt: Date | null }[]
}

/** What the protocol needs of a client. */
export const toRegistration = (row: RegistrationRow, secrets: Secrets): Registration => {
  const kept: KeptSecret[] = row.secrets.map(secret => ({
    digest: secret.digest ? Buffer.from(secret.digest) : undefined,
    plain: secret.sealed === null ? undefined : secrets.unseal('client-secret-sealed', secret.sealed, row.clientId),
    expiresAt: secret.expiresAt ?? undefined,
  }))
  const source = sourceOf(row)
  const secret = needsSecret(row.tokenEndpointAuthMethod) ? { client_secret: sharedSecret(row, kept, secrets) } : {}
  return {
    clientId: row.clientId,
    version: row.version,
    organizationId: row.organizationId ?? undefined,
    source,
    // Nobody's own word makes a client the operator's.
    isFirstParty: row.firstParty && isVouchedFor(source),
    isPkceRequired: row.requirePkce,
    securityProfile: readProfile(row.securityProfile),
    refreshGraceSeconds: row.refreshGraceSeconds,
    apiPermissions: row.apiPermissions,
    tokenExchange: readTokenExchange(row.tokenExchange),
    branding: readBranding(row.branding),
    ...connectionsOf(row),
    // An organization's agent acts for its members.
    isMembersOnly: row.isMembersOnly || (row.isAgent && row.organizationId !== null),
    isAgent: row.isAgent,
    ownerUserId: row.ownerUserId ?? undefined,
    accessEndedAt: row.accessEndedAt ?? undefined,
    secrets: kept,
    metadata: {
      ...profileDefaults(readProfile(row.securityProfile)),
      ...(isObject(row.metadata) ? row.metadata : {}),
      client_id: row.clientId,
      // Optional in RFC 7591 §2; the engine takes an empty name for a wrong one.
      ...(row.name === '' ? {} : { client_name: row.name }),
      token_endpoint_auth_method: row.tokenEndpointAuthMethod,
      grant_types: row.grantTypes,
      response_types: row.responseTypes,
      redirect_uris: row.redirectUris,
      post_logout_redirect_uris: row.postLogoutRedirectUris,
      ...secret,
    },
  }
}

/** The columns of a secret. `client_secret_jwt` is verified with the secret itself, so there it is sealed; everywhere else a digest is enough. */
export const toSecretColumns = ({ clientId, secret, method }: { clientId: string; secret: string; method: string }, secrets: Secrets) => ({
  hint: secret.slice(-4),
  ...(method === 'client_secret_jwt'
    ? { sealed: secrets.seal('client-secret-sealed', secret, clientId) }
    : { digest: Uint8Array.from(secrets.digest('client-secret', secret)) }),
})

/** Whether the secrets that a client has under one method prove it under another; the others are given up for good. */
export const areSecretsKept = (before: string, after: string): boolean =>
  needsSecret(after) && (after === 'client_secret_jwt') === (before === 'client_secret_jwt')

/** Whether the time of a secret has not come yet. */
export const isUnexpired = ({ expiresAt }: { readonly expiresAt?: Date | null | undefined }, now: Date): boolean => !expiresAt || expiresAt > now

/** The living secrets that sign, any of which an assertion may be signed by. */
export const signingSecrets = ({ secrets }: Registration, now: Date): readonly string[] =>
  secrets.filter(secret => isUnexpired(secret, now)).flatMap(({ plain }) => plain ?? [])

/** What stands for the secret of a client whose secrets are only digests. */
export const standInSecret = (clientId: string, secrets: Secrets): string => secrets.digest('client-stand-in', clientId).toString('base64url')

// A keyed digest costs six times a plain one: the secret that was right last time is known by its plain hash, in memory only.
const lastRight = new WeakMap<KeptSecret, Buffer>()

/** Whether the presented secret is one of the living. Compared in constant time. */
export const isSecretOf = (registration: Registration, presented: string, { secrets, now }: { secrets: Secrets; now: Date }): boolean => {
  const living = registration.secrets.filter(secret => secret.digest && isUnexpired(secret, now))
  const plain = hash('sha256', presented, 'buffer')
  if (living.some(secret => isEqualSecret(lastRight.get(secret) ?? Buffer.alloc(0), plain))) return true
  const digest = secrets.digest('client-secret', presented)
  const right = living.find(secret => isEqualSecret(secret.digest ?? Buffer.alloc(0), digest))
  if (right) lastRight.set(right, plain)
  return right !== undefined
}

/** The columns of a client from registered metadata (RFC 7591). */
export const toColumns = ({
  client_id: _clientId,
  client_secret: _secret,
  client_name: name,
  token_endpoint_auth_method: method,
  grant_types: grantTypes,
  response_types: responseTypes,
  redirect_uris: redirectUris,
  post_logout_redirect_uris: postLogoutRedirectUris,
  security_profile: _profile,
  ...metadata
}: ClientMetadata) => ({
  name: typeof name === 'string' ? name : '',
  tokenEndpointAuthMethod: typeof method === 'string' ? method : 'client_secret_basic',
  grantTypes: strings(grantTypes),
  responseTypes: strings(responseTypes),
  redirectUris: strings(redirectUris),
  postLogoutRedirectUris: strings(postLogoutRedirectUris),
  metadata: JSON.parse(JSON.stringify(metadata)),
})

const sharedSecret = (row: RegistrationRow, kept: readonly KeptSecret[], secrets: Secrets): string =>
  kept.find(({ plain }) => plain !== undefined)?.plain ?? standInSecret(row.clientId, secrets)
