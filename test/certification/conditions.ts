// Conditions that many modules of the conformance suite share, each with its section.
import type { ExecutionContext } from 'ava'
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'

type Metadata = { readonly issuer: string; readonly jwks_uri: string; readonly userinfo_endpoint: string; readonly [name: string]: unknown }

/** A token answer as RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3 want it. */
export const verifyTokenAnswer = async (t: ExecutionContext, response: Response): Promise<Record<string, unknown>> => {
  const body: unknown = await response.json()
  t.is(response.status, 200, JSON.stringify(body))
  t.regex(response.headers.get('content-type') ?? '', /^application\/json\b/)
  t.regex(response.headers.get('cache-control') ?? '', /no-store/)
  const answer = z.record(z.string(), z.unknown()).parse(body)
  t.regex(String(answer.access_token), /^[\x20-\x7e]+$/)
  t.is(String(answer.token_type).toLowerCase(), 'bearer')
  t.true(Number.isInteger(answer.expires_in) && Number(answer.expires_in) > 0)
  if (answer.refresh_token !== undefined) t.regex(String(answer.refresh_token), /^[\x20-\x7e]+$/)
  return answer
}

/** An ID token (OpenID Connect Core §2, §3.1.3.7): signed by a key of the server that its `kid` names, for this client and request. */
export const verifyIdToken = async (
  t: ExecutionContext,
  idToken: string,
  { metadata, clientId, nonce }: { metadata: Metadata; clientId: string; nonce?: string | null },
): Promise<JWTPayload> => {
  const { alg, kid } = decodeProtectedHeader(idToken)
  t.is(alg, 'RS256')
  t.truthy(kid, 'OpenID Connect Core §10.1: several keys are published, so the one must be named')
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  const required = { issuer: metadata.issuer, audience: clientId, requiredClaims: ['sub', 'iat', 'exp'], maxTokenAge: 300 }
  const { payload } = await jwtVerify(idToken, keys, required)
  t.true(typeof payload.sub === 'string' && payload.sub.length > 0 && payload.sub.length <= 255)
  t.is(payload.nonce ?? null, nonce ?? null)
  if (Array.isArray(payload.aud)) t.is(payload.azp, clientId)
  return payload
}

// OpenID Connect Core §5.1: the standard claims and their types.
const standardClaims = z.looseObject({
  sub: z.string().min(1),
  name: z.string().min(1).optional(),
  picture: z.url().optional(),
  locale: z.string().optional(),
  email: z.email().optional(),
  email_verified: z.boolean().optional(),
  updated_at: z.int().min(0).max(4_102_444_800).optional(),
  phone_number: z.string().optional(),
  address: z.looseObject({}).optional(),
})

/** An answer of the userinfo endpoint (§5.3.2), about the same person as the ID token. */
export const verifyUserinfo = async (t: ExecutionContext, response: Response, { sub }: JWTPayload) => {
  t.is(response.status, 200)
  t.regex(response.headers.get('content-type') ?? '', /^application\/json\b/)
  const claims = standardClaims.parse(await response.json())
  t.is(claims.sub, sub ?? '')
  return claims
}

/** The server's keys (RFC 7517): public ones alone, each with a `kid` of its own. */
export const verifyKeys = async (t: ExecutionContext, { jwks_uri: address }: Metadata) => {
  const response = await fetch(address)
  t.is(response.status, 200)
  const { keys } = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().min(1) })).min(1) }).parse(await response.json())
  t.is(new Set(keys.map(({ kid }) => kid)).size, keys.length)
  // RFC 7518 §6.2.2, §6.3.2, §6.4
  for (const key of keys) for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) t.false(name in key, `${key.kid} tells ${name}`)
  t.false(keys.some(({ kty }) => kty === 'oct'))
  return keys
}
