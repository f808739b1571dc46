// OpenID providers as they describe themselves: discovered, held to what was set, and remembered for minutes.
import { createRemoteJWKSet, customFetch } from 'jose'
import * as client from 'openid-client'
import { createMemo } from '../platform/data/memo.ts'
import { Problem } from '../platform/errors.ts'
import type { ConnectorNeeds } from './connector.ts'
import { createKeysFetch, createReadMetadata, type OidcMetadata } from './oidc-metadata.ts'
import { createUpstreamFetch, upstreamProblem } from './upstream-answers.ts'

/** How we authenticate at a token endpoint. */
export const authMethods = ['client_secret_basic', 'client_secret_post'] as const

/** How we authenticate at a token endpoint. */
export type AuthMethod = (typeof authMethods)[number]

/** We at a provider, as it was set. */
export interface OidcClient {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The one algorithm its ID tokens are signed with. */
  readonly alg: string
  /** As the provider says it can, where it is not set. */
  readonly authMethod?: AuthMethod | undefined
}

/** A provider as it was found. */
export interface FoundServer {
  readonly metadata: OidcMetadata
  readonly keys: ReturnType<typeof createRemoteJWKSet>
}

/** The providers of a connector. */
export interface OidcServers {
  /** At most ten minutes old. Throws `upstream_unavailable`. */
  get(issuer: string): Promise<FoundServer>
  /** Looks anew. Throws `upstream_unavailable`. */
  discover(issuer: string): Promise<FoundServer>
  /** How we authenticate there. */
  authMethodOf(found: FoundServer, by: OidcClient): AuthMethod
  /** What the library asks a found provider with. */
  configure(found: FoundServer, by: OidcClient): Promise<client.Configuration>
}

interface Needs extends Pick<ConnectorNeeds, 'fetch' | 'now'> {
  /** Whether a provider may call itself other than it was set: Microsoft has one address for many. */
  readonly isCalled?: ((issuer: string, told: string) => boolean) | undefined
}

const ttlMilliseconds = 10 * 60_000
const maxServers = 200
// Times are judged by our clock, where the signature is; the library has one of its own.
const anyTimeSeconds = 100 * 366 * 86_400
const isPlain = (issuer: string) => issuer.startsWith('http:')

/** Makes them. */
export const createOidcServers = ({ fetch, now, isCalled }: Needs): OidcServers => {
  const asking = createUpstreamFetch(fetch)
  const [readMetadata, keysFetch] = [createReadMetadata(fetch), createKeysFetch(fetch)]
  const discover = async (issuer: string): Promise<FoundServer> => {
    try {
      const metadata = await readMetadata(issuer)
      const isItself = isCalled?.(issuer, metadata.issuer) || new URL(metadata.issuer).href === new URL(issuer).href
      if (!isItself) throw new Error('the issuer of the metadata is another')
      const isEndpoint = ({ protocol }: URL) => protocol === 'https:' || (isPlain(issuer) && protocol === 'http:')
      const keysAt = new URL(metadata.jwks_uri)
      if (![new URL(metadata.authorization_endpoint), new URL(metadata.token_endpoint), keysAt].every(isEndpoint))
        throw new Error('an endpoint is not under https')
      // No cooldown: only its own token endpoint can make us look for keys anew, once an answer.
      return { metadata, keys: createRemoteJWKSet(keysAt, { [customFetch]: keysFetch, cacheMaxAge: ttlMilliseconds, cooldownDuration: 0 }) }
    } catch (error) {
      throw new Problem('upstream_unavailable', { cause: upstreamProblem(error).cause })
    }
  }
  const memo = createMemo({ ttlMilliseconds, now, load: discover, maxEntries: maxServers })
  const authMethodOf: OidcServers['authMethodOf'] = ({ metadata }, { authMethod }) => authMethod ?? preferred(metadata.token_endpoint_auth_methods_supported)
  return {
    get: memo.get,
    discover,
    authMethodOf,
    configure: async (found, by) => {
      const { issuer, clientId, clientSecret, alg } = by
      const authenticate = authMethodOf(found, by) === 'client_secret_post' ? client.ClientSecretPost : client.ClientSecretBasic
      const settings = { id_token_signed_response_alg: alg, [client.clockTolerance]: anyTimeSeconds }
      // By a discovery of what was discovered: there alone the library reads Microsoft's issuers of many tenants.
      const configuration = await client.discovery(new URL(issuer), clientId, settings, authenticate(clientSecret), {
        [client.customFetch]: async () => Response.json(found.metadata),
        timeout: 10,
        execute: isPlain(issuer) ? [client.allowInsecureRequests] : [],
      })
      configuration[client.customFetch] = asking
      return configuration
    },
  }
}

// What is registered without a word is registered for the header (OpenID Connect Registration §2), and strict providers take nothing else.
const preferred = (supported: readonly string[] | undefined): AuthMethod =>
  supported?.includes('client_secret_post') && !supported.includes('client_secret_basic') ? 'client_secret_post' : 'client_secret_basic'
