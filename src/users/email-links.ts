// The links of a change of address: used up while nobody else changes their user, and what they prove given to that user.
import type { Challenge, Purpose } from '../challenges/challenge.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change, RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { parseEmail } from './email.ts'
import type { EvictUnproven } from './evict-unproven.ts'
import { type UserId, userIdSchema } from './user.ts'

interface Needs {
  readonly change: Change
  readonly challenges: Challenges
  readonly evictUnproven: EvictUnproven
  readonly forget: (userId: string) => void
  readonly now: () => Date
}

interface Locked {
  readonly id: UserId
  readonly email: string
  readonly email_normalized: string
  readonly is_verified: boolean
}

interface Outcome<Result> {
  readonly result: Result
  /** Who gave way. */
  readonly evicted?: string
}

type Work<Result> = (tx: TransactionClient, record: RecordEvent, given: { challenge: Challenge; before: Locked }) => Promise<Outcome<Result>>

/** Uses a link up in a change, while nobody else changes its user. Throws `link_expired`. */
export const createRedeem =
  ({ change, challenges, forget }: Pick<Needs, 'change' | 'challenges' | 'forget'>) =>
  async <Result>(actor: Actor, { purpose, token }: { purpose: Purpose; token: string }, work: Work<Result>): Promise<Result> => {
    const found = await challenges.find(purpose, token)
    const userId = found?.userId
    if (!found || userId === undefined) throw new Problem('link_expired')
    const { result, evicted } = await change(actor, async (tx, record) => {
      const before = await lockUsers(tx, { userId, email: parseEmail(addressOf(found)) })
      const challenge = await challenges.redeemLink(tx, { purpose, token })
      if (!challenge || !before) throw new Problem('link_expired')
      return work(tx, record, { challenge, before })
    })
    for (const id of [userId, evicted]) if (id !== undefined) forget(id)
    return result
  }

// The user and who holds the address, in one order: two who change to each other's address wait for each other and do not stand still.
const lockUsers = async (tx: TransactionClient, { userId, email }: { userId: string; email: string }): Promise<Locked | undefined> => {
  const rows = await tx.$queryRaw<(Omit<Locked, 'id'> & { id: string; suspended_at: Date | null })[]>`
    SELECT id, email, email_normalized, email_verified_at IS NOT NULL AS is_verified, suspended_at FROM users
    WHERE (id = ${userId}::uuid OR email_normalized = ${email}) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE`
  const own = rows.find(({ id, suspended_at }) => id === userId && suspended_at === null)
  return own && { ...own, id: userIdSchema.parse(own.id) }
}

/** Gives the user the address that a challenge proved. */
export const createGive =
  ({ evictUnproven, now }: Pick<Needs, 'evictUnproven' | 'now'>) =>
  async (tx: TransactionClient, record: RecordEvent, { userId, challenge }: { userId: UserId; challenge: Challenge }) => {
    const email = addressOf(challenge)
    const emailNormalized = parseEmail(email)
    const evicted = await evictUnproven(tx, record, { email: emailNormalized, userId })
    await tx.user.update({ where: { id: userId }, data: { email, emailNormalized, emailVerifiedAt: now() } })
    return { evicted, email }
  }

/** The address as it was written. */
export const addressOf = ({ details, email }: Challenge): string => (typeof details.email === 'string' ? details.email : email)
