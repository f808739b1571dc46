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
import { algorithms } from './algorithms.ts'
import { clockToleranceSeconds } from './artifact.ts'
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

/** Verifies the request's assertion and uses it up. Throws `invalid_request` where there is none, else `invalid_grant` (RFC 7523 §3.1). */
export const verifyAssertion = async (ctx: KoaContextWithOIDC, now: () => Date): Promise<void> => {
  const { client, params, provider } = ctx.oidc
  const assertion = params?.assertion
  if (!client || typeof assertion !== 'string' || assertion === '') throw new errors.InvalidRequest("missing required parameter(s) 'assertion'")
  const { header, claims } = read(assertion)
  verifyAlgorithm(header.alg, client)
  verifyParties(ctx, { claims, client })
  verifyTimes(claims, Math.floor(now().getTime() / 1000))
  await verifySignature(assertion, client)
  // After the signature: nobody uses up what another will present.
  const isFirst = await provider.ReplayDetection.unique(claims.iss, claims.jti, claims.exp + clockToleranceSeconds)
  if (!isFirst) throw new errors.InvalidGrant('the assertion was used before')
}

const read = (assertion: string) => {
  const [header, claims] = assertion.split('.').map(decoded)
  const told = { header: headerSchema.safeParse(header).data, claims: claimsSchema.safeParse(claims).data }
  if (!told.header || !told.claims || assertion.split('.').length !== 3)
    throw new errors.InvalidGrant('the assertion is not a JWT with iss, sub, aud, exp and jti')
  return { header: told.header, claims: told.claims }
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
  if (!isKnown || !isInProfile) throw new errors.InvalidGrant('the assertion is not signed by an algorithm that is accepted')
}

// RFC 7523 §3 (1, 2, 3).
const verifyParties = ({ oidc }: KoaContextWithOIDC, { claims, client }: { claims: Claims; client: Client }) => {
  if (claims.iss !== client.clientId) throw new errors.InvalidGrant('iss must be the client_id')
  if (claims.sub !== client.clientId) throw new errors.InvalidGrant('sub must be the client_id: assertions about people are not accepted')
  const audiences = [claims.aud].flat()
  const isForUs = profileOf(client) === undefined ? audiences.some(one => oidc.clientJwtAuthExpectedAudience().has(one)) : claims.aud === oidc.issuer
  if (!isForUs) throw new errors.InvalidGrant('aud must be the issuer identifier or the token endpoint')
}

// RFC 7523 §3 (4, 5, 6).
const verifyTimes = ({ exp, iat, nbf }: Claims, nowSeconds: number) => {
  if (exp <= nowSeconds - clockToleranceSeconds) throw new errors.InvalidGrant('the assertion has expired')
  if (exp > nowSeconds + longestSeconds + clockToleranceSeconds) throw new errors.InvalidGrant(`exp must be within ${longestSeconds} seconds`)
  if ([iat, nbf].some(at => at !== undefined && at > nowSeconds + clockToleranceSeconds)) throw new errors.InvalidGrant('the assertion is from the future')
}

const verifySignature = async (assertion: string, client: Client) => {
  try {
    await verify(assertion, Reflect.get(client, 'asymmetricKeyStore') as Keys, { clockTolerance: clockToleranceSeconds })
  } catch (cause) {
    if (isUnavailable(cause)) throw cause
    throw Object.assign(new errors.InvalidGrant('the assertion does not verify'), { cause })
  }
}
