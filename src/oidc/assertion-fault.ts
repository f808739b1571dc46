// Says what is wrong with an assertion by which a client authenticates (RFC 7523 §3), where the engine says only that it failed.
//
// Decided: it is read off the assertion, the same whether there is such a client or not. What only the client's registration could tell is one
// sentence for all, for it would tell of the client; whoever holds its key has come further, and is told there.
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { algorithms } from './algorithms.ts'
import { clockToleranceSeconds } from './artifact.ts'

/** The fault in a sentence; `undefined` where the request brought no assertion. `now`: seconds since 1970. */
export const assertionFault = ({ oidc }: KoaContextWithOIDC, now: number): string | undefined => {
  const assertion = oidc.body?.client_assertion
  if (typeof assertion !== 'string') return undefined
  try {
    const { alg } = decodeProtectedHeader(assertion)
    if (!algorithms.clientAuthSigningAlgValues?.some(one => one === alg)) return 'alg of the client assertion is not one that is accepted'
    return claimFault(decodeJwt(assertion), { now, accepted: oidc.clientJwtAuthExpectedAudience() }) ?? ofRegistration
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return 'the client assertion is not a JWT'
    throw error
  }
}

const ofRegistration = 'the signature or the alg of the client assertion is not what this client_id is registered with'

const needed = ['iss', 'sub', 'aud', 'exp', 'jti']

const claimFault = (claims: JWTPayload, { now, accepted }: { now: number; accepted: ReadonlySet<string> }): string | undefined => {
  const missing = needed.find(name => !claims[name])
  if (missing !== undefined) return `${missing} is missing from the client assertion`
  const { iss, sub, aud, exp, nbf } = claims
  if (iss !== sub) return 'iss and sub of the client assertion must both be the client_id'
  if (![aud].flat().some(one => accepted.has(String(one))))
    return 'aud of the client assertion must be the issuer identifier, the token endpoint or the endpoint that is asked'
  if (!(Number(exp) > now - clockToleranceSeconds)) return 'exp of the client assertion has passed'
  if (nbf !== undefined && !(nbf <= now + clockToleranceSeconds)) return 'nbf of the client assertion is in the future'
  return undefined
}
