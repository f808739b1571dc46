// What a JWT access token's `jti` says to us, and to nobody else: the grant it was issued under, whose it is, and the session it ends with.
import type { AccessToken, ClientCredentials } from 'oidc-provider'
import { z } from 'zod'
import type { Secrets } from '../platform/secrets.ts'

/** Where a JWT access token belongs. The engine keeps no such token, so the token has to say it itself. */
export interface TokenReference {
  readonly grantId: string
  /** The person, whatever subject the client knows them by. */
  readonly accountId: string
  /** Absent: the token does not end with a session. */
  readonly sessionUid?: string
}

/** Writes and reads the references. */
export interface TokenReferences {
  /** The `jti` of a token that is about to be signed; of a client's own token it is random and no more. */
  jtiOf(token: AccessToken | ClientCredentials, random: string): string
  /**
   * `undefined` for a `jti` that has no reference, `'lost'` for one under a SECRET_KEY that is not known any more. Throws for one that we did
   * not seal: it is asked only of what we signed.
   */
  read(jti: string): TokenReference | undefined | 'lost'
}

const shape = z.tuple([z.string(), z.string(), z.string().nullable()])

/** Makes it. A reference is sealed, so that a resource server learns no name of ours and cannot tell which tokens have one in common. */
export const createTokenReferences = (secrets: Secrets): TokenReferences => ({
  jtiOf: (token, random) => {
    if (token.kind !== 'AccessToken' || !('grantId' in token) || !token.grantId) return random
    const reference = [token.grantId, token.accountId, token.expiresWithSession ? token.sessionUid : null]
    return `${random}.${secrets.seal('token-reference', JSON.stringify(reference), random)}`
  },
  read: jti => {
    const dot = jti.indexOf('.')
    if (dot < 0) return undefined
    const opened = secrets.findUnsealed('token-reference', jti.slice(dot + 1), jti.slice(0, dot))
    if (opened === undefined) return 'lost'
    const [grantId, accountId, sessionUid] = shape.parse(JSON.parse(opened))
    return { grantId, accountId, sessionUid: sessionUid ?? undefined }
  },
})
