// The yardstick: the same engine with an in-memory adapter and the same clients, as a process of its own.
import { generateKeyPairSync } from 'node:crypto'
import type { Context } from 'koa'
import { type Configuration, type JWK, Provider } from 'oidc-provider'
import { paths } from '../../src/oidc/paths.ts'
import { createInteractionPages } from './baseline-pages.ts'
import { demoClients } from './demo-data.ts'
import { manyClientsMetadata } from './many-clients.ts'
import { createMemoryAdapter } from './memory-adapter.ts'

const port = Number(process.env.PORT)
const issuer = process.env.ISSUER ?? `http://127.0.0.1:${port}`
const idTokenAlgorithm = process.env.ID_TOKEN_ALG ?? 'RS256'

const privateJwk = (kind: 'rsa' | 'ec' | 'ed25519', kid: string): JWK => {
  if (kind === 'rsa') return { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid } as JWK
  if (kind === 'ec') return { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid } as JWK
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid } as JWK
}

const resourceAlgorithm = (resource: string): 'ES256' | 'RS256' | 'EdDSA' => {
  if (resource.endsWith('/rs256')) return 'RS256'
  return resource.endsWith('/eddsa') ? 'EdDSA' : 'ES256'
}

const configuration: Configuration = {
  adapter: createMemoryAdapter(),
  clients: [...demoClients, ...manyClientsMetadata].map(client => ({ ...client, id_token_signed_response_alg: idTokenAlgorithm as 'RS256' })),
  jwks: { keys: [privateJwk('rsa', 'rs256'), privateJwk('ec', 'es256'), privateJwk('ed25519', 'eddsa')] },
  cookies: { keys: ['a key of the baseline alone, which guards nothing'] },
  scopes: ['openid', 'offline_access', 'organizations'],
  claims: { openid: ['sub'], profile: ['name', 'picture', 'locale', 'updated_at'], email: ['email', 'email_verified'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  routes: { ...paths },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    deviceFlow: { enabled: true },
    registration: { enabled: true },
    dPoP: { enabled: true },
    claimsParameter: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => [],
      useGrantedResource: () => false,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'read write',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resourceAlgorithm(resource) } },
      }),
    },
  },
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, IdToken: 3600, RefreshToken: 1_209_600, Session: 1_209_600, Grant: 1_209_600, Interaction: 3600 },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: true, name: 'Bob Miller', locale: 'en', updated_at: 1_700_000_000 }),
  }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  // First-party clients skip consent: everything asked is granted.
  loadExistingGrant: async ctx => {
    const { client, session } = ctx.oidc
    if (!client || !session?.accountId) return undefined
    const grantId = session.grantIdFor(client.clientId)
    if (grantId) return ctx.oidc.provider.Grant.find(grantId)
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid profile email organizations offline_access')
    await grant.save()
    return grant
  },
}

const provider = new Provider(issuer, configuration)
const pages = createInteractionPages(provider)
provider.use(async (ctx: Context, next) => {
  if (ctx.path === '/readyz') ctx.body = 'ready'
  else if (ctx.path.startsWith('/interaction/')) await pages(ctx)
  else await next()
})
const server = provider.listen(port, '127.0.0.1')
const stop = () => {
  server.close()
  server.closeAllConnections()
  process.disconnect?.()
}
process.once('SIGTERM', stop)
process.once('disconnect', stop)
