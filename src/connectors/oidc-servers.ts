// OpenID providers as they describe themselves: discovered, held to what was set, and remembered for minutes.
import { createRemoteJWKSet, customFetch, type JWK } from 'jose'
import * as client from 'openid-client'
import { z } from 'zod'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import type { ConnectorNeeds, Finding } from './connector.ts'
import { createUpstreamFetch, upstreamProblem } from './upstream-answers.ts'

/** A provider as it was set. */
export interface OidcServer {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The one algorithm its ID tokens are signed with. */
  readonly alg: string
  /** How we authenticate; as the provider says it can, where it is not set. */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post'
  /** A regular expression of what it may call itself other than `issuer`: Microsoft has one address for many. */
  readonly issuerPattern?: string
}

/** A provider as it was found. */
export interface FoundServer {
  readonly configuration: client.Configuration
  readonly keys: ReturnType<typeof createRemoteJWKSet>
}

/** The providers of a connector. */
export interface OidcServers {
  /** At most ten minutes old. Throws `upstream_unavailable`. */
  get(server: OidcServer): Promise<FoundServer>
  /** Looks anew: whether it is found, has keys, does what we ask of it, and knows us. */
  test(server: OidcServer, callbackUrl: string): Promise<readonly Finding[]>
}

const ttlMilliseconds = 10 * 60_000
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const isSecure = (url: URL) => url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname))

/** An origin: https, or http of this machine. */
export const originSchema = z
  .string()
  .max(512)
  .refine(text => URL.canParse(text) && new URL(text).origin === text && isSecure(new URL(text)), 'must be an origin such as https://id.example.com')

/** An issuer identifier (OpenID Connect Discovery §3); with `/.well-known/` in it nobody would compare it with what is found there. */
export const issuerSchema = z
  .string()
  .max(512)
  .refine(text => {
    if (!URL.canParse(text) || /[?#]|\/\.well-known\//.test(text)) return false
    const url = new URL(text)
    return isSecure(url) && !url.username && !url.password
  }, 'must be an issuer such as https://id.example.com, without what comes after it')

/** Makes them. */
export const createOidcServers = ({ fetch, now }: Pick<ConnectorNeeds, 'fetch' | 'now'>): OidcServers => {
  const asking = createUpstreamFetch(fetch)
  const find = async (server: OidcServer): Promise<FoundServer> => {
    const isPlain = new URL(server.issuer).protocol === 'http:'
    const configuration = await client.discovery(new URL(server.issuer), server.clientId, { id_token_signed_response_alg: server.alg }, authenticate(server), {
      [client.customFetch]: asking,
      timeout: 10,
      execute: isPlain ? [client.allowInsecureRequests] : [],
    })
    const { issuer, ...endpoints } = configuration.serverMetadata()
    // The library lets names differ for Microsoft's hosts, whoever set them; we only where the connector says so.
    const isNamed = server.issuerPattern !== undefined && new RegExp(server.issuerPattern).test(issuer)
    const isItself = isNamed || new URL(issuer).href === new URL(server.issuer).href
    if (!isItself) throw new Error('the issuer of the metadata is another')
    const isEndpoint = ({ protocol }: URL) => protocol === 'https:' || (isPlain && protocol === 'http:')
    const needed = [endpoints.authorization_endpoint, endpoints.token_endpoint, endpoints.jwks_uri].map(address => new URL(address ?? ''))
    if (!needed.every(isEndpoint)) throw new Error('an endpoint is not under https')
    const keysAt = new URL(endpoints.jwks_uri ?? '')
    // No cooldown: only its own token endpoint can make us look for keys anew, once an answer.
    return { configuration, keys: createRemoteJWKSet(keysAt, { [customFetch]: asking, cacheMaxAge: ttlMilliseconds, cooldownDuration: 0 }) }
  }
  const load = async (key: string) => {
    try {
      return await find(JSON.parse(key))
    } catch (error) {
      throw new Problem('upstream_unavailable', { cause: upstreamProblem(error).cause })
    }
  }
  const memo = createMemo({ ttlMilliseconds, now, load, maxEntries: 200 })
  return {
    get: server => memo.get(JSON.stringify(server)),
    test: async (server, callbackUrl) => {
      const found = await load(JSON.stringify(server)).catch(() => undefined)
      if (!found) return [{ check: 'discovery', isGood: false, detail: 'The discovery document cannot be read, or is of another issuer.' }]
      return [
        { check: 'discovery', isGood: true },
        await testKeys(found, server.alg),
        ...testAbilities(found, server.alg),
        ...(await testCredentials(found, callbackUrl)),
      ]
    },
  }
}

const authenticate = ({ clientSecret, authMethod }: OidcServer): client.ClientAuth => {
  const [basic, post] = [client.ClientSecretBasic(clientSecret), client.ClientSecretPost(clientSecret)]
  return (server, metadata, body, headers) => {
    // In the body where it may be: providers differ in how they read what RFC 6749 §2.3.1 encodes in the header.
    const isPosted = authMethod ? authMethod === 'client_secret_post' : server.token_endpoint_auth_methods_supported?.includes('client_secret_post')
    return (isPosted ? post : basic)(server, metadata, body, headers)
  }
}

const testKeys = async ({ keys }: FoundServer, alg: string): Promise<Finding> => {
  try {
    await keys.reload()
    if (keys.jwks()?.keys.some(key => canVerify(key, alg))) return { check: 'keys', isGood: true }
    return { check: 'keys', isGood: false, detail: `There is no key for signatures by ${alg}.` }
  } catch {
    return { check: 'keys', isGood: false, detail: 'The keys cannot be read.' }
  }
}

const kinds: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' }
const canVerify = (key: JWK, alg: string) => key.kty === kinds[alg.slice(0, 2)] && (key.alg ?? alg) === alg && (key.use ?? 'sig') === 'sig'

const testAbilities = ({ configuration }: FoundServer, alg: string): Finding[] => {
  const told = configuration.serverMetadata()
  const { response_types_supported: responses, code_challenge_methods_supported: challenges, id_token_signing_alg_values_supported: algs } = told
  const finding = (check: string, isGood: boolean, detail: string): Finding => ({ check, isGood, ...(isGood ? {} : { detail }) })
  return [
    finding('code_flow', responses?.includes('code') ?? false, 'The provider does not say that it answers with a code.'),
    // What is not said is no fault: Microsoft has PKCE and does not say so.
    finding('pkce', challenges?.includes('S256') ?? true, 'The provider says that it does not know PKCE with S256.'),
    finding('signature', algs?.includes(alg) ?? true, `The provider says that it does not sign by ${alg}.`),
  ]
}

// A code that is none: a provider that knows us says so; one that does not says that first. What else it says tells nothing.
const testCredentials = async ({ configuration }: FoundServer, callbackUrl: string): Promise<Finding[]> => {
  const parameters = { code: 'a-code-that-was-never-issued', redirect_uri: callbackUrl, code_verifier: client.randomPKCECodeVerifier() }
  try {
    await client.genericGrantRequest(configuration, 'authorization_code', parameters)
    return []
  } catch (error) {
    const told = error instanceof client.ResponseBodyError ? error.error : undefined
    if (told === 'invalid_grant') return [{ check: 'credentials', isGood: true }]
    const isUnknown = told === 'invalid_client' || told === 'unauthorized_client' || error instanceof client.WWWAuthenticateChallengeError
    return isUnknown ? [{ check: 'credentials', isGood: false, detail: 'The provider does not know this client and secret.' }] : []
  }
}
