// Access tokens for our own API (RFC 9068): verified by our own keys, and asked whether client and grant still live.
import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Clients } from '../clients/clients.ts'
import { createMemo } from '../platform/data/memo.ts'
import { twoFactors } from './acr.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import type { SigningKeys } from './signing-keys.ts'

interface Needs {
  readonly audience: string
  readonly issuer: string
  readonly signingKeys: SigningKeys
  readonly clients: Clients
  readonly durable: PostgresArtifacts
  readonly now: () => Date
}

const claimsSchema = z.object({
  sub: z.string(),
  client_id: z.string(),
  scope: z.string().default(''),
  acr: z.string().optional(),
  org_id: z.string().optional(),
  cnf: z.undefined().optional(),
})

/** Makes the verification. Tokens bound to a DPoP key are refused: the API takes bearer tokens alone. */
export const createVerifyAccessToken = ({ audience, issuer, signingKeys, clients, durable, now }: Needs) => {
  // The public members alone: a key set for verification knows no private key.
  const loadKeys = async () => {
    const keys = await signingKeys.list()
    return createLocalJWKSet({
      keys: keys.filter(({ use }) => use === 'sig').map(({ kty, crv, x, y, n, e, kid, alg }) => ({ kty, crv, x, y, n, e, kid, alg, use: 'sig' })),
    })
  }
  const memo = createMemo({ ttlMilliseconds: 1000, now, load: loadKeys })
  return async (token: string) => {
    const claims = await verified(token, { keys: await memo.get('keys'), audience, issuer, now })
    const client = claims && (await clients.find(claims.client_id))
    if (!client) return undefined
    const userId = claims.sub === claims.client_id ? undefined : claims.sub
    const granted = { accountId: userId ?? '', clientId: claims.client_id, organizationId: claims.org_id }
    if (userId !== undefined && !(await durable.findGrant(granted))) return undefined
    return {
      clientId: claims.client_id,
      userId,
      scopes: words(claims.scope),
      registeredScopes: client.apiPermissions,
      isFirstParty: client.isFirstParty,
      organizationId: client.organizationId,
      isMembersOnly: client.isMembersOnly,
      boundTo: claims.org_id,
      hasTwoFactors: claims.acr === twoFactors,
    }
  }
}

const words = (value: string): string[] => value.split(' ').filter(Boolean)

interface Expected {
  readonly keys: ReturnType<typeof createLocalJWKSet>
  readonly audience: string
  readonly issuer: string
  readonly now: () => Date
}

const verified = async (token: string, { keys, audience, issuer, now }: Expected) => {
  try {
    const { payload } = await jwtVerify(token, keys, { audience, issuer, typ: 'at+jwt', currentDate: now(), algorithms: ['ES256', 'RS256', 'EdDSA'] })
    return claimsSchema.safeParse(payload).data
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined // whatever is wrong with it
    throw error
  }
}
