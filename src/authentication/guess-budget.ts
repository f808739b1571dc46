// How often somebody may be guessed at. Strangers share what an account bears; each place that is its person's own has as much apart, so that
// no stranger closes the account to its person.
import { type Database, statement } from '../platform/data/database.ts'
import { addressKey, type Limit } from '../platform/http/limit.ts'
import { hashOf } from '../platform/secrets.ts'
import type { KnownDevice } from './authentication.ts'

/** A try, before it is looked at. */
export interface Guess {
  /** Who is guessed at, known or not. */
  readonly account: string
  readonly userId?: string
  readonly ip?: string
  /** The browser, where it is one in which this very user proved as much before. */
  readonly ownDeviceId?: string
  /** Awaited at the first refusal of a window. */
  readonly onFirstRefusal: () => Promise<void>
}

/** Gives back what was taken: the attempt was honest. */
export type GiveBack = () => Promise<unknown>

/** The budget of one kind of proof. */
export interface GuessBudget {
  /** Takes a point, or throws `too_many_attempts`. */
  take(guess: Guess): Promise<GiveBack>
  /** Begins anew for strangers, for this browser and for this address: what was guessed at is not there any more. */
  clear(account: Pick<Guess, 'account' | 'ip' | 'ownDeviceId'>): Promise<void>
}

interface Limits {
  /** What an account bears of all strangers together, and of each place of its person. */
  readonly byAccount: readonly Limit[]
  readonly byAddress: Limit
}

/** Makes a budget of these limits. */
export type MakeGuessBudget = (limits: Limits) => GuessBudget

interface Needs extends Limits {
  readonly database: Database
  /** Whether only an address is their person's own at which they proved two factors: whoever guesses knows the password. */
  readonly areTwoFactorsProven: boolean
}

// Where they signed in, or were seen signed in, in the last thirty days.
const addressesOf = statement(
  'addresses-of',
  `SELECT DISTINCT ip FROM sessions
   WHERE user_id = $1 AND ip IS NOT NULL AND last_seen_at > now() - interval '30 days' AND (NOT $2 OR 'mfa' = ANY (amr)) LIMIT 200`,
)

/** Makes one. A browser in which its user signed in before has its own budget and no others; so has an address, within what an address bears. */
export const createGuessBudget = ({ database, areTwoFactorsProven, byAccount, byAddress }: Needs): GuessBudget => {
  const isOwnAddress = async (userId: string | undefined, ipKey: string) => {
    const rows = await database.run<{ ip: string }>(addressesOf, [userId ?? null, areTwoFactorsProven])
    return rows.some(({ ip }) => addressKey(ip) === ipKey)
  }
  const takeOf = async (key: string, onFirstRefusal: Guess['onFirstRefusal']): Promise<GiveBack> => {
    for (const limit of byAccount) await limit.consume(key, { onFirstRefusal })
    return () => Promise.all(byAccount.map(limit => limit.reward(key)))
  }

  return {
    take: async ({ account, userId, ip = 'unknown', ownDeviceId, onFirstRefusal }) => {
      if (ownDeviceId !== undefined) return takeOf(keyOf(account, ownDeviceId), onFirstRefusal)
      const ipKey = addressKey(ip)
      // The address first: one that is over its own budget uses up nobody's account.
      await byAddress.consume(ipKey, { onFirstRefusal })
      const place = (await isOwnAddress(userId, ipKey)) ? ipKey : strangers
      const giveBack = await takeOf(keyOf(account, place), onFirstRefusal)
      return () => Promise.all([giveBack(), byAddress.reward(ipKey)])
    },
    clear: async ({ account, ip = 'unknown', ownDeviceId }) => {
      const places = [strangers, addressKey(ip), ...(ownDeviceId === undefined ? [] : [ownDeviceId])]
      await Promise.all(places.flatMap(place => byAccount.map(limit => limit.clear(keyOf(account, place)))))
    },
  }
}

/** The browser, where this user signed in in it before. */
export const ownDeviceOf = (userId: string | undefined, device: KnownDevice | undefined): string | undefined =>
  userId !== undefined && device?.userIds.includes(userId) ? device.id : undefined

const strangers = ''

const keyOf = (account: string, place: string) => hashOf('account', `${account}\0${place}`).toString('base64url')
