// How often a password may be tried: by account, by address, and apart from both in a browser whose user signed in there before.
import { type Database, statement } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import { hashOf } from '../platform/secrets.ts'
import type { User } from '../users/user.ts'

/** A try that takes of the budgets. */
export interface Budgeted {
  readonly accountKey: string
  readonly ipKey: string
  readonly user?: User
  /** The browser is one in which this very user signed in before. */
  readonly isKnownDevice: boolean
  readonly onFirstRefusal: () => Promise<void>
}

/** Gives back what was taken: the attempt was honest. */
export type GiveBack = () => Promise<unknown>

// Where they signed in, or were seen signed in, in the last thirty days.
const addressesOf = statement(
  'addresses-of',
  "SELECT DISTINCT ip FROM sessions WHERE user_id = $1 AND ip IS NOT NULL AND last_seen_at > now() - interval '30 days' LIMIT 200",
)

/**
 * Makes what takes a point of the budgets, or throws `too_many_attempts`: ten failures an account and a quarter of an hour, thirty an address and minute. Where strangers used the
 * account's up, each address where its user signed in lately has ten of its own. A browser in which its user signed in before has ten
 * of its own and no others, whatever strangers used up.
 */
export const createSignInBudget = ({ database, limit }: { database: Database; limit: MakeLimit }): ((budgeted: Budgeted) => Promise<GiveBack>) => {
  const byAccount = limit('sign-in:account', { points: 10, durationSeconds: 900 })
  const byKnownAddress = limit('sign-in:known-address', { points: 10, durationSeconds: 900 })
  const byAddress = limit('sign-in:address', { points: 30, durationSeconds: 60 })

  const isKnownAddress = async (user: User | undefined, ipKey: string) => {
    const rows = await database.run<{ ip: string }>(addressesOf, [user?.id ?? null])
    return rows.some(({ ip }) => addressKey(ip) === ipKey)
  }

  /** Takes a point of the account, or where none is left of the account at this address; gives what gives it back. */
  const consumeOfAccount = async ({ accountKey, ipKey, user, onFirstRefusal }: Budgeted): Promise<GiveBack> => {
    let isFirst = false
    const noteFirst = async () => {
      isFirst = true
    }
    try {
      await byAccount.consume(accountKey, { onFirstRefusal: noteFirst })
      return () => byAccount.reward(accountKey)
    } catch (error) {
      const isUsedUp = error instanceof Problem && error.code === 'too_many_attempts'
      if (!isUsedUp || !(await isKnownAddress(user, ipKey))) {
        if (isFirst) await onFirstRefusal()
        throw error
      }
      const key = hashOf('account', `${accountKey}\0${ipKey}`).toString('base64url')
      await byKnownAddress.consume(key, { onFirstRefusal })
      return () => byKnownAddress.reward(key)
    }
  }

  return async budgeted => {
    const { accountKey, ipKey, isKnownDevice, onFirstRefusal } = budgeted
    if (isKnownDevice) {
      await byAccount.consume(accountKey, { onFirstRefusal })
      return () => byAccount.reward(accountKey)
    }
    // The address first: one that is over its own budget uses up nobody's account.
    await byAddress.consume(ipKey, { onFirstRefusal })
    const giveBack = await consumeOfAccount(budgeted)
    return () => Promise.all([giveBack(), byAddress.reward(ipKey)])
  }
}
