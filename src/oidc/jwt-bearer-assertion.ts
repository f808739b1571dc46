// A client's assertion about itself as an authorization grant (RFC 7521, RFC 7523 §3): verified by the client's own registered keys.
//
// Decided: an assertion says that the client asks for itself, and lives for five minutes at most. None speaks for a person: whoever held
// the key of an issuer that is trusted for that could be anybody of an organization, unseen by them, without their second factor, and after
// their sessions have ended. What a person lets a client do without being there begins with their consent, by token exchange or CIBA.
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { type Keys, verify } from 'oidc-provider/lib/helpers/jwt.js'
import { z } from 'zod'
import { profileAlgorithms } from '../clients/security-profile.ts'
import { isUnavailable } from '../platform/data/database.ts'
import { isObject } from '../platform/values.ts'
import { algorithms } from './algorithms.ts'
import { clockToleranceSeconds } from './artifact.ts'
import { invalidGrant } from './problems.ts'
import { profileOf } from './security-profile.ts'

const longestSeconds = 300

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
  jti: z.string().min(1).max(255),
})
const headerSchema = z.looseObject({ alg: z.string() })

type Claims = z.output<typeof claimsSchema>

/** What uses an assertion up. Throws `invalid_grant` where it was used before. */
export type UseUp = () => Promise<void>

/**
 * Verifies the request's assertion. Throws `invalid_request` where there is none, else `invalid_grant` (RFC 7523 §3.1). It is used up apart,
 * once nothing else of the request is refused: what is asked for a nonce may be presented again (RFC 9449 §8).
 */
export const verifyAssertion = async (ctx: KoaContextWithOIDC, now: () => Date): Promise<UseUp> => {
  const { client, params, provider } = ctx.oidc
  const assertion = params?.assertion
  if (!client || typeof assertion !== 'string' || assertion === '') throw new errors.InvalidRequest("missing required parameter(s) 'assertion'")
  const { header, claims } = read(assertion)
  verifyAlgorithm(header.alg, client)
  verifyParties(ctx, { claims, client })
  verifyTimes(claims, Math.floor(now().getTime() / 1000))
  await verifySignature(assertion, client)
  // After the signature: nobody uses up what another will present.
  return async () => {
    const isFirst = await provider.ReplayDetection.unique(claims.iss, claims.jti, claims.exp + clockToleranceSeconds)
    if (!isFirst) throw invalidGrant('jti was used before: an assertion is taken once')
  }
}

const read = (assertion: string) => {
  const parts = assertion.split('.')
  const [header, claims] = parts.map(decoded)
  if (parts.length !== 3 || !isObject(header) || !isObject(claims)) throw invalidGrant('the assertion is not a JWT in compact form')
  return { header: parsed(headerSchema, header), claims: parsed(claimsSchema, claims) }
}

const parsed = <Schema extends z.ZodType>(schema: Schema, given: object): z.output<Schema> => {
  const { data, error } = schema.safeParse(given)
  if (error) throw invalidGrant(`${String(error.issues[0]?.path[0])} is missing from the assertion, or is not what RFC 7519 says`)
  return data
}

const decoded = (part: string): unknown => {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined // which is refused
  }
}

const verifyAlgorithm = (alg: string, client: Client) => {
  const isKnown = algorithms.clientAuthSigningAlgValues?.some(one => one === alg) && !alg.startsWith('HS')
  const isInProfile = profileOf(client) === undefined || profileAlgorithms.has(alg)
  if (!isKnown || !isInProfile) throw invalidGrant('alg is not one that is accepted for this client')
}

// RFC 7523 §3 (1, 2, 3).
const verifyParties = ({ oidc }: KoaContextWithOIDC, { claims, client }: { claims: Claims; client: Client }) => {
  if (claims.iss !== client.clientId) throw invalidGrant('iss must be the client_id')
  if (claims.sub !== client.clientId) throw invalidGrant('sub must be the client_id: assertions about people are not accepted')
  const audiences = [claims.aud].flat()
  const isForUs = profileOf(client) === undefined ? audiences.some(one => oidc.clientJwtAuthExpectedAudience().has(one)) : claims.aud === oidc.issuer
  if (!isForUs) throw invalidGrant('aud must be the issuer identifier or the token endpoint')
}

// RFC 7523 §3 (4, 5, 6).
const verifyTimes = ({ exp, iat, nbf }: Claims, nowSeconds: number) => {
  if (exp <= nowSeconds - clockToleranceSeconds) throw invalidGrant('exp has passed')
  if (exp > nowSeconds + longestSeconds + clockToleranceSeconds) throw invalidGrant(`exp must be within ${longestSeconds} seconds from now`)
  for (const [name, at] of Object.entries({ iat, nbf }))
    if (at !== undefined && at > nowSeconds + clockToleranceSeconds) throw invalidGrant(`${name} is in the future`)
}

const verifySignature = async (assertion: string, client: Client) => {
  try {
    await verify(assertion, Reflect.get(client, 'asymmetricKeyStore') as Keys, { clockTolerance: clockToleranceSeconds })
  } catch (cause) {
    if (isUnavailable(cause)) throw cause
    throw invalidGrant('the signature of the assertion is of no key of this client', { cause })
  }
}
