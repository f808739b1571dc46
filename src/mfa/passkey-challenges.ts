// The challenges that authenticators sign: each for one ceremony of one browser, redeemed once by one conditional statement.
import { type Database, statement } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { hashOf } from '../platform/secrets.ts'

/** For how long a challenge is good, which is also how long a browser may take. */
export const challengeTtlSeconds = 300

/** What a challenge is for. One that is not bound to a user is nothing for a user, and the other way round. */
export interface ChallengeUse {
  readonly ceremony: 'registration' | 'authentication'
  /** What only the browser that asked can show: its interaction or its session. */
  readonly binding: string
  readonly userId?: string
}

/** The challenges. */
export interface PasskeyChallenges {
  issue(use: ChallengeUse): Promise<string>
  /** Uses one up; answers whether it was there for this use and in time. One that was offered elsewhere stays. */
  redeem(challenge: string, use: ChallengeUse): Promise<boolean>
}

interface Needs {
  readonly database: Database
  readonly randomBytes: (size: number) => Buffer
  readonly now: () => Date
}

const insert = statement(
  'passkey-challenge-issue',
  'INSERT INTO passkey_challenges (hash, ceremony, user_id, binding_hash, expires_at) VALUES ($1, $2, $3, $4, $5)',
)
const take = statement(
  'passkey-challenge-redeem',
  `DELETE FROM passkey_challenges
   WHERE hash = $1 AND ceremony = $2 AND user_id IS NOT DISTINCT FROM $3::uuid AND binding_hash = $4 AND expires_at > now() RETURNING ceremony`,
)

const columnsOf = (challenge: string, { ceremony, userId, binding }: ChallengeUse) => [
  hashOf('passkey-challenge', challenge),
  ceremony,
  userId ?? null,
  hashOf('passkey-binding', binding),
]

/** Makes the service. */
export const createPasskeyChallenges = ({ database, randomBytes, now }: Needs): PasskeyChallenges => ({
  issue: async use => {
    const challenge = randomBytes(32).toString('base64url')
    await database.run(insert, [...columnsOf(challenge, use), new Date(now().getTime() + challengeTtlSeconds * 1000)])
    return challenge
  },
  redeem: async (challenge, use) => (await database.run(take, columnsOf(challenge, use))).length === 1,
})

/** Forgets what expired. */
export const purgePasskeyChallenges = createPurge({ table: 'passkey_challenges', key: 'hash', due: 'expires_at < now()' })
