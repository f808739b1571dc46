// Whether a JWT access token still stands, asked of the store in one statement; and its tombstone, where it was revoked alone (RFC 7009).
import { type Database, statement } from '../platform/data/database.ts'
import { hashOf } from '../platform/secrets.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { isInSession, isLiving, isSinceEnds, isUnbroken } from './lineage.ts'
import type { TokenReference } from './token-reference.ts'

/** What is asked of a token whose signature and expiry were verified. */
export interface Standing extends Partial<TokenReference> {
  readonly jti: string
  readonly clientId: string
}

/** Where JWT access tokens end. */
export interface TokenStandings {
  /** Its grant and all that this descends from live, so does the session it ends with, and it was not revoked. */
  isStanding(token: Standing): Promise<boolean>
  /** Ends one token, and what was exchanged for it. */
  revoke(jti: string, ttlSeconds: number): Promise<void>
}

const kind = 'RevokedToken'

/** The key of the tombstone that a token leaves. */
export const tombstoneOf = (jti: string): Buffer => hashOf(kind, jti)

// A client's own token ($2: no grant) has nothing to end with but itself.
const standing = statement(
  'token-standing',
  `SELECT NOT EXISTS (SELECT 1 FROM oidc_artifacts r WHERE r.key = $1)
     AND ($2::bytea IS NULL OR EXISTS (
       SELECT 1 FROM oidc_artifacts a WHERE a.key = $2 AND a.kind = 'Grant' AND a.account_id = $3 AND a.client_id = $4 AND ${isLiving('a')} AND ${isSinceEnds('a')} AND ${isUnbroken('a')}))
     AND ($5::text IS NULL OR ${isInSession({ uid: '$5', account: '$3', client: '$4::text', grant: '$6' })}) AS is_standing`,
)

/** Makes it. */
export const createTokenStandings = ({ database, durable }: { database: Database; durable: PostgresArtifacts }): TokenStandings => ({
  isStanding: async ({ jti, clientId, accountId, grantId, sessionUid }) => {
    const grantKey = grantId === undefined ? null : hashOf('Grant', grantId)
    const values = [tombstoneOf(jti), grantKey, accountId ?? null, clientId, sessionUid ?? null, grantId ?? null]
    return (await database.run<{ is_standing: boolean }>(standing, values))[0]?.is_standing === true
  },
  revoke: async (jti, ttlSeconds) => {
    await durable.insert({ kind, id: jti, payload: {}, ttlSeconds })
  },
})
