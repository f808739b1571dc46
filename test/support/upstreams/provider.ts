// oidc-provider as an upstream: two clients, no pages of its own, and a grant for whatever is asked.
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'
import { plant } from '../canaries.ts'
import { createUpstreamMemory } from './memory.ts'

/** What ID tokens are signed by. */
export type Alg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

/** Makes a key that signs. */
export const makeKey = (kid: string, alg: Alg = 'RS256') => ({ ...makePrivateKey(alg).export({ format: 'jwk' }), kid, use: 'sig', alg })

const makePrivateKey = (alg: Alg) => {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

/** The secrets of its two clients. */
export const secrets = { first: plant('the-secret-of-the-upstream-client'), other: plant('the-secret-of-the-other-upstream-client') }

const ownKey = makeKey('its own')

/** How the clients authenticate: as they were registered, and in no other way (OpenID Connect Registration §2). */
export type AuthMethod = 'client_secret_basic' | 'client_secret_post'

interface ProviderGiven {
  readonly keys: readonly ReturnType<typeof makeKey>[]
  readonly authMethod: AuthMethod
}

/** Makes one. */
export const createProvider = (issuer: string, { keys, authMethod }: ProviderGiven): Provider => {
  const redirectUris = ['https://registered.example/callback']
  const provider = new Provider(issuer, {
    adapter: createUpstreamMemory(),
    clients: [
      { client_id: 'authy2', client_secret: secrets.first, redirect_uris: redirectUris, token_endpoint_auth_method: authMethod },
      { client_id: 'other', client_secret: secrets.other, redirect_uris: redirectUris, token_endpoint_auth_method: authMethod },
    ],
    clientAuthMethods: ['client_secret_post', 'client_secret_basic'],
    // What it signs is signed anew, by the first key; it itself needs one of the kind it knows best.
    jwks: { keys: [...keys, ownKey] },
    cookies: { keys: ['the cookies of the upstream'] },
    features: { devInteractions: { enabled: false } },
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    pkce: { required: () => false },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: async ctx => {
      const { client, account } = ctx.oidc
      const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: account?.accountId ?? '' })
      grant.addOIDCScope(ctx.oidc.params?.scope?.toString() ?? 'openid')
      await grant.save()
      return grant
    },
  })
  // Each test has addresses of its own; how an upstream knows its clients' is its affair.
  Object.assign(provider.Client.prototype, { redirectUriAllowed: () => true })
  provider.proxy = true
  provider.on('server_error', (_ctx, error) => console.error('the upstream fails:', error))
  return provider
}
