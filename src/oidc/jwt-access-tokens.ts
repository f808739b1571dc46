// Our own JWT access tokens (RFC 9068), read back: verified by our keys alone, whatever resource server they are for.
import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { accessTokenAlgorithms } from '../clients/resource-server.ts'
import type { ChangeFeed } from '../platform/data/change-feed.ts'
import { createMemo } from '../platform/data/memo.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenReference, TokenReferences } from './token-reference.ts'
import type { TokenStandings } from './token-standing.ts'

const claimsSchema = z.looseObject({
  jti: z.string(),
  sub: z.string(),
  client_id: z.string(),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().default(''),
  acr: z.string().optional(),
  org_id: z.string().optional(),
  cnf: z.object({ jkt: z.string().optional(), 'x5t#S256': z.string().optional() }).optional(),
})

/** A JWT access token that is signed by us, has not expired, was not revoked, and whose grant lives. */
export interface JwtAccessToken {
  readonly claims: z.output<typeof claimsSchema>
  /** Absent: the client's own. */
  readonly reference?: TokenReference
}

/** Reads them. */
export interface JwtAccessTokens {
  /** One statement. `undefined` for whatever is wrong with it; `audience` is required where it is told. */
  find(token: string, options?: { readonly audience?: string }): Promise<JwtAccessToken | undefined>
}

interface Needs {
  readonly issuer: string
  readonly signingKeys: SigningKeys
  readonly references: TokenReferences
  readonly standings: TokenStandings
  readonly feed: ChangeFeed
  readonly now: () => Date
}

/** Makes it. */
export const createJwtAccessTokens = ({ issuer, signingKeys, references, standings, feed, now }: Needs): JwtAccessTokens => {
  // The public members alone: a key set for verification knows no private key.
  const loadKeys = async () => {
    const keys = await signingKeys.list()
    return createLocalJWKSet({
      keys: keys.filter(({ use }) => use === 'sig').map(({ kty, crv, x, y, n, e, kid, alg }) => ({ kty, crv, x, y, n, e, kid, alg, use: 'sig' })),
    })
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load: loadKeys, ends: { feed, by: { signing_key: () => undefined } } })
  return {
    find: async (token, { audience } = {}) => {
      const claims = await verified(token, { keys: await memo.get('keys'), audience, issuer, now })
      if (!claims) return undefined
      const { jti, client_id: clientId } = claims
      const reference = references.read(jti)
      if (reference === 'lost') return undefined
      // A client's own token names the client as its subject; every other is under a grant.
      if (!reference && claims.sub !== clientId) return undefined
      return (await standings.isStanding({ jti, clientId, ...reference })) ? { claims, reference } : undefined
    },
  }
}

interface Expected {
  readonly keys: ReturnType<typeof createLocalJWKSet>
  readonly audience?: string | undefined
  readonly issuer: string
  readonly now: () => Date
}

const verified = async (token: string, { keys, audience, issuer, now }: Expected) => {
  try {
    // RFC 9068 §4: the type tells an access token from an ID token.
    const { payload } = await jwtVerify(token, keys, { audience, issuer, typ: 'at+jwt', currentDate: now(), algorithms: [...accessTokenAlgorithms] })
    return claimsSchema.safeParse(payload).data
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined // whatever is wrong with it
    throw error
  }
}
