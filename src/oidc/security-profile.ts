// What FAPI 2.0 demands of a request of a client that has a security profile, beyond what its registration says.
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { profileAlgorithms, readProfile, type SecurityProfile } from '../clients/security-profile.ts'
import { lifetimes } from './lifetimes.ts'
import { invalidClient } from './problems.ts'

/** The profile of one of the engine's clients. */
export const profileOf = (client: object | undefined): SecurityProfile | undefined =>
  client && 'security_profile' in client ? readProfile(client.security_profile) : undefined

// FAPI 2.0 Security Profile §5.3.2.1 (13).
const aheadSeconds = 60
// FAPI 2.0 Message Signing §5.3.1.
const requestObjectSeconds = 3600

type Claims = Readonly<Record<string, unknown>>
type Header = Readonly<Record<string, unknown>>

const isAhead = (at: unknown, nowSeconds: number) => at !== undefined && !(typeof at === 'number' && at <= nowSeconds + aheadSeconds)

/** The time now. */
type Clock = () => Date

/** Checks a client's assertion (RFC 7523) beyond the engine. Throws `invalid_client`. */
export const assertAssertion =
  (now: Clock) =>
  async ({ oidc }: KoaContextWithOIDC, claims: Claims, header: Header, client: Client): Promise<void> => {
    if (profileOf(client) === undefined) return
    if (!profileAlgorithms.has(header.alg)) throw invalidClient('alg of the assertion must be PS256, ES256 or EdDSA')
    // FAPI 2.0 Security Profile §5.3.2.1 (8): the issuer, and as a string.
    if (claims.aud !== oidc.issuer) throw invalidClient('aud of the assertion must be the issuer identifier, and nothing beside it')
    const nowSeconds = now().getTime() / 1000
    for (const name of ['iat', 'nbf']) if (isAhead(claims[name], nowSeconds)) throw invalidClient(`${name} of the assertion is in the future`)
  }

/** Checks a request object (RFC 9101) beyond the engine. Throws `invalid_request_object`. */
export const assertRequestObject =
  (now: Clock) =>
  async ({ oidc }: KoaContextWithOIDC, claims: Claims, header: Header, client: Client): Promise<void> => {
    if (oidc.route === 'backchannel_authentication') mustHave(claims, ['exp', 'iat', 'nbf', 'jti'])
    // What was pushed was checked then; what came without a request object the engine wraps into one of its own.
    if (profileOf(client) === undefined || 'PushedAuthorizationRequest' in oidc.entities) return
    mustHave(claims, ['exp', 'aud', 'nbf'])
    const { exp, nbf, iat } = claims
    if (!profileAlgorithms.has(header.alg)) throw new errors.InvalidRequestObject('the request object must be signed with PS256, ES256 or EdDSA')
    const nowSeconds = now().getTime() / 1000
    if (isAhead(iat, nowSeconds) || isAhead(nbf, nowSeconds)) throw new errors.InvalidRequestObject('the request object is from the future')
    const [start, end] = [Number(nbf), Number(exp)]
    if (!(end > start && end - start <= requestObjectSeconds)) throw new errors.InvalidRequestObject('exp must be later than nbf, by an hour at most')
    if (start < nowSeconds - requestObjectSeconds) throw new errors.InvalidRequestObject('nbf must not be longer ago than an hour')
  }

const mustHave = (claims: Claims, names: readonly string[]) => {
  for (const name of names) if (claims[name] === undefined) throw new errors.InvalidRequestObject(`Request Object is missing the '${name}' claim`)
}

/**
 * Answers that no nonce is required. The engine asks before it reads a proof, which is where its algorithm can be held to the
 * client's profile (FAPI 2.0 Security Profile §5.4.1). Throws `invalid_dpop_proof`.
 */
export const verifyProofAlgorithm = (ctx: KoaContextWithOIDC): boolean => {
  if (profileOf(ctx.oidc.client) !== undefined && !profileAlgorithms.has(algorithmOf(ctx.get('DPoP'))))
    throw new errors.InvalidDpopProof('the proof must be signed with PS256, ES256 or EdDSA')
  return false
}

const algorithmOf = (proof: string): unknown => {
  try {
    return JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString()).alg
  } catch {
    return undefined // the engine says what is wrong with it
  }
}

/** How long a refresh token lives, in seconds. One that is not rotated cannot begin anew: it has all of its time at once. */
export const refreshTokenSeconds = (token: { totalLifetime(): number }, client: object): number => {
  if (profileOf(client) !== undefined) return lifetimes.refreshTokenAbsolute
  return Math.max(1, Math.min(lifetimes.refreshTokenIdle, lifetimes.refreshTokenAbsolute - token.totalLifetime()))
}
