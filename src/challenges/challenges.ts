// Proofs that an address is read by who says so: issued, and redeemed once, by link or by code. One conditional statement decides each.
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import { type Challenge, codeDigits, type NewChallenge, type Purpose } from './challenge.ts'

/** What an answer by code came to. `dead`: used, expired, out of tries, or not this browser's. */
export type CodeAnswer = { readonly outcome: 'redeemed'; readonly challenge: Challenge } | { readonly outcome: 'wrong' | 'dead' }

/** The challenges. */
export interface Challenges {
  /** Makes one in the transaction of a change; older ones of the same purpose, address, user and binding are void. The secrets are told only here. */
  issue(tx: TransactionClient, challenge: NewChallenge): Promise<{ id: string; token: string; code?: string }>
  /** The living challenge of a link, which stays unused: for a page that asks before it acts (a mail scanner follows links too). */
  find(purpose: Purpose, token: string): Promise<Challenge | undefined>
  /** The newest living challenge of a user, to be answered by its code. */
  findNewest(user: { userId: string; purpose: Purpose }): Promise<Challenge | undefined>
  /** Uses a link up, in the transaction of what it is good for. One that is bound is redeemed only with its binding. */
  redeemLink(tx: TransactionClient, answer: { purpose: Purpose; token: string; binding?: string }): Promise<Challenge | undefined>
  /** Uses a try of a code, and the challenge where it is right. Commits at once: a try stays used whatever comes after. */
  redeemCode(answer: { purpose: Purpose; id: string; code: string; binding: string }): Promise<CodeAnswer>
  /** Replaces the details of the living challenge that a user has of a purpose; tells whether there is one. */
  amend(tx: TransactionClient, challenge: { userId: string; purpose: Purpose; details: NonNullable<NewChallenge['details']> }): Promise<boolean>
  /** Whether it was redeemed, or another took its place. */
  isUsed(id: string): Promise<boolean>
  /** Voids the living challenges of a user, those of no purpose but these where they are named, and those that only name the address. */
  voidAll(tx: TransactionClient, user: { userId: string; email?: string; purposes?: readonly Purpose[] }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly secrets: Secrets
  readonly randomBytes: (size: number) => Buffer
  readonly newId: () => string
  readonly now: () => Date
}

interface Row {
  id: string
  purpose: Purpose
  user_id: string | null
  email: string
  details: Record<string, unknown>
  expires_at: Date
}

const columns = 'id, purpose, user_id, email, details, expires_at'
const byToken = statement(
  'challenge-by-token',
  `SELECT ${columns} FROM challenges WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND attempts_left > 0 AND expires_at > now()`,
)
const newestOf = statement(
  'challenge-newest',
  `SELECT ${columns} FROM challenges WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND attempts_left > 0 AND expires_at > now()
   ORDER BY created_at DESC LIMIT 1`,
)
const tryCode = statement(
  'challenge-try-code',
  `UPDATE challenges SET attempts_left = attempts_left - 1, used_at = CASE WHEN code_hash = ANY ($3::bytea[]) THEN now() END
   WHERE id = $1 AND purpose = $2 AND binding_hash = $4 AND used_at IS NULL AND attempts_left > 0 AND expires_at > now()
   RETURNING ${columns}, used_at IS NOT NULL AS is_right`,
)

/** Makes the service. */
export const createChallenges = ({ database, secrets, randomBytes, newId, now }: Needs): Challenges => {
  const bound = (id: string, code: string) => `${id}\0${code}`
  return {
    issue: async (tx, { purpose, email, userId, ttlSeconds, details = {}, binding }) => {
      const id = newId()
      const token = randomBytes(32).toString('base64url')
      const code = binding === undefined ? undefined : newCode(randomBytes)
      const bindingHash = binding === undefined ? undefined : new Uint8Array(hashOf('challenge-binding', binding))
      // Of those that are bound only this browser's are void, and only this user's: a stranger who asks for an address spoils nobody else's.
      const older = { purpose, email, userId: userId ?? null, usedAt: null, bindingHash: bindingHash ?? null }
      await tx.challenge.updateMany({ where: older, data: { usedAt: now() } })
      await tx.challenge.create({
        data: {
          id,
          purpose,
          email,
          userId,
          details,
          tokenHash: new Uint8Array(hashOf('challenge', token)),
          codeHash: code === undefined ? undefined : new Uint8Array(secrets.digest('challenge', bound(id, code))),
          bindingHash,
          expiresAt: new Date(now().getTime() + ttlSeconds * 1000),
        },
      })
      return { id, token, code }
    },
    find: async (purpose, token) => {
      const [row] = await database.run<Row>(byToken, [hashOf('challenge', token), purpose])
      return row && toChallenge(row)
    },
    findNewest: async ({ userId, purpose }) => {
      const [row] = await database.run<Row>(newestOf, [userId, purpose])
      return row && toChallenge(row)
    },
    redeemLink: async (tx, { purpose, token, binding }) => {
      const bindingHash = binding === undefined ? null : hashOf('challenge-binding', binding)
      const [row] = await tx.$queryRaw<Row[]>`
        UPDATE challenges SET used_at = now()
        WHERE token_hash = ${hashOf('challenge', token)} AND purpose = ${purpose} AND used_at IS NULL AND attempts_left > 0 AND expires_at > now()
          AND (binding_hash IS NULL OR binding_hash = ${bindingHash})
        RETURNING id, purpose, user_id, email, details, expires_at`
      return row && toChallenge(row)
    },
    redeemCode: async ({ purpose, id, code, binding }) => {
      const digits = code.replace(/[\s-]/g, '')
      const [row] = await database.run<Row & { is_right: boolean }>(tryCode, [
        id,
        purpose,
        secrets.digests('challenge', bound(id, digits)),
        hashOf('challenge-binding', binding),
      ])
      if (!row) return { outcome: 'dead' }
      return row.is_right ? { outcome: 'redeemed', challenge: toChallenge(row) } : { outcome: 'wrong' }
    },
    amend: async (tx, { userId, purpose, details }) => {
      const living = { userId, purpose, usedAt: null, attemptsLeft: { gt: 0 }, expiresAt: { gt: now() } }
      const { count } = await tx.challenge.updateMany({ where: living, data: { details } })
      return count > 0
    },
    isUsed: async id => (await database.prisma.challenge.count({ where: { id, usedAt: { not: null } } })) > 0,
    voidAll: async (tx, { userId, email, purposes }) => {
      const whose = { OR: [{ userId }, ...(email === undefined ? [] : [{ userId: null, email }])] }
      await tx.challenge.updateMany({ where: { ...whose, usedAt: null, ...(purposes ? { purpose: { in: [...purposes] } } : {}) }, data: { usedAt: now() } })
    },
  }
}

/** Forgets what expired a day ago. */
export const purgeChallenges = createPurge({ table: 'challenges', due: "expires_at < now() - interval '1 day'" })

// Rejection keeps every code equally likely.
const newCode = (randomBytes: (size: number) => Buffer): string => {
  const range = 10 ** codeDigits
  const limit = Math.floor(2 ** 32 / range) * range
  for (;;) {
    const drawn = randomBytes(4).readUInt32BE()
    if (drawn < limit) return String(drawn % range).padStart(codeDigits, '0')
  }
}

const toChallenge = ({ id, purpose, user_id, email, details, expires_at }: Row): Challenge => ({
  id,
  purpose,
  userId: user_id ?? undefined,
  email,
  details,
  expiresAt: expires_at,
})
