// Looks at an OpenID provider for its administrator: whether it is found, has keys, does what we ask of it, and knows us.
import type { JWK } from 'jose'
import * as client from 'openid-client'
import { Problem } from '../platform/errors.ts'
import type { Finding } from './connector.ts'
import { type AuthMethod, authMethods, type FoundServer, type OidcClient, type OidcServers } from './oidc-servers.ts'

/** Asks anew. Throws nothing that is the provider's fault. */
export const lookAtServer = async (servers: OidcServers, by: OidcClient, callbackUrl: string): Promise<readonly Finding[]> => {
  const found = await servers.discover(by.issuer).catch(unavailable)
  if (found instanceof Problem)
    return [{ check: 'discovery', isGood: false, detail: 'The discovery document cannot be read, or is of another issuer.', cause: found.cause }]
  return [
    { check: 'discovery', isGood: true },
    await testKeys(found, by.alg),
    ...testAbilities(found, by.alg),
    ...(await testCredentials(servers, { found, by, callbackUrl })),
  ]
}

const unavailable = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  throw error
}

const testKeys = async ({ keys }: FoundServer, alg: string): Promise<Finding> => {
  try {
    await keys.reload()
    if (keys.jwks()?.keys.some(key => canVerify(key, alg))) return { check: 'keys', isGood: true }
    return { check: 'keys', isGood: false, detail: `There is no key for signatures by ${alg}.` }
  } catch (cause) {
    return { check: 'keys', isGood: false, detail: 'The keys cannot be read.', cause }
  }
}

const typesOfKeys: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' }
const canVerify = (key: JWK, alg: string) => key.kty === typesOfKeys[alg.slice(0, 2)] && (key.alg ?? alg) === alg

const testAbilities = ({ metadata }: FoundServer, alg: string): Finding[] => {
  const { response_types_supported: responses, code_challenge_methods_supported: challenges, id_token_signing_alg_values_supported: algs } = metadata
  const finding = (check: string, isGood: boolean, detail: string): Finding => ({ check, isGood, ...(isGood ? {} : { detail }) })
  return [
    finding('code_flow', responses?.includes('code') ?? false, 'The provider does not say that it answers with a code.'),
    // What is not said is no fault: Microsoft has PKCE and does not say so.
    finding('pkce', challenges?.includes('S256') ?? true, 'The provider says that it does not know PKCE with S256.'),
    finding('signature', algs?.includes(alg) ?? true, `The provider says that it does not sign by ${alg}.`),
  ]
}

// The way that works may be the other one: only whoever registered the client knows how, and nothing that a provider says tells us.
const testCredentials = async (servers: OidcServers, { found, by, callbackUrl }: Asking): Promise<Finding[]> => {
  const ours = servers.authMethodOf(found, by)
  const isKnownBy = async (authMethod: AuthMethod) => isKnown(await servers.configure(found, { ...by, authMethod }), callbackUrl)
  const isGood = await isKnownBy(ours)
  if (isGood === undefined) return []
  if (isGood) return [{ check: 'credentials', isGood }]
  const [other = ours] = authMethods.filter(one => one !== ours)
  const isOther = await isKnownBy(other)
  const detail = isOther ? `The provider knows this client by ${other} alone.` : 'The provider does not know this client and secret.'
  return [{ check: 'credentials', isGood, detail }]
}

interface Asking {
  readonly found: FoundServer
  readonly by: OidcClient
  readonly callbackUrl: string
}

// A code that is none: a provider that knows us says so; one that does not says that first. What else it says tells nothing.
const isKnown = async (configuration: client.Configuration, callbackUrl: string): Promise<boolean | undefined> => {
  const parameters = { code: 'a-code-that-was-never-issued', redirect_uri: callbackUrl, code_verifier: client.randomPKCECodeVerifier() }
  try {
    await client.genericGrantRequest(configuration, 'authorization_code', parameters)
    return undefined
  } catch (error) {
    const told = error instanceof client.ResponseBodyError ? error.error : undefined
    if (told === 'invalid_grant') return true
    const isUnknown = told === 'invalid_client' || told === 'unauthorized_client' || error instanceof client.WWWAuthenticateChallengeError
    return isUnknown ? false : undefined
  }
}
