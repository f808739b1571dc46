// oidc-provider as an upstream: two clients, no pages of its own, and a grant for whatever is asked.
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'
import { createUpstreamMemory } from './memory.ts'

/** Makes a key that signs. */
export const makeKey = (kid: string) => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'RS256',
})
/** The secrets of its two clients. */
export const secrets = { first: 'the-secret-of-the-upstream-client', other: 'the-secret-of-the-other-upstream-client' }

/** Makes one. */
export const createProvider = (issuer: string, keys: ReturnType<typeof makeKey>[]): Provider => {
  const redirectUris = ['https://registered.example/callback']
  const provider = new Provider(issuer, {
    adapter: createUpstreamMemory(),
    clients: [
      { client_id: 'authy2', client_secret: secrets.first, redirect_uris: redirectUris, token_endpoint_auth_method: 'client_secret_post' },
      { client_id: 'other', client_secret: secrets.other, redirect_uris: redirectUris, token_endpoint_auth_method: 'client_secret_post' },
    ],
    clientAuthMethods: ['client_secret_post', 'client_secret_basic'],
    jwks: { keys },
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
