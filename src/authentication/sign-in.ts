// Signing in with a password: a refused person learns nothing, neither by words nor by time.
//
// Every attempt that is looked at writes one event. Of those that a budget refuses only the first of a window does, for an account
// and for an address: a flood must not fill the log, which everybody's changes write to.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'
import { hashOf } from '../platform/secrets.ts'
import { normalizeEmail } from '../users/email.ts'
import type { User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { Proof, RefusalReason } from './authentication.ts'
import type { Hashing, Passwords } from './password.ts'
import type { NewPassword, ReplacePassword } from './replace-password.ts'

/** A try to sign in; `device` where the browser is one in which these users signed in before. */
export interface Attempt {
  readonly identifier: string
  readonly password: string
  readonly device?: { readonly id: string; readonly userIds: readonly string[] }
  /** They are signed in and prove themselves once more, which is told as that. */
  readonly isAgain?: boolean
}

/** Proves people by password. */
export interface SignIn {
  /** Throws `invalid_credentials` for every kind of wrong, `too_many_attempts` beyond the budgets, `busy` when hashing is full. */
  prove(actor: Actor, attempt: Attempt): Promise<Proof>
  /** Whether the user has a password. */
  hasPassword(userId: string): Promise<boolean>
  /**
   * Sets a user's password, whatever it was, and ends what the user is signed in with but for the session that is excepted.
   * `guard` is asked inside the change, before anything is written.
   */
  setPassword(actor: Actor, user: SetPassword): Promise<void>
}

/** The password that a user is to have from now on. */
export interface SetPassword extends Pick<NewPassword, 'exceptSid' | 'isFirstTold'> {
  readonly id: UserId
  readonly password: string
  readonly guard?: (tx: TransactionClient) => Promise<void>
}

interface Refusal {
  readonly name: 'sign_in' | 'reauthentication'
  readonly id?: UserId
  readonly reason: RefusalReason
}

interface Budgeted {
  readonly accountKey: string
  readonly ipKey: string
  readonly user?: User
  /** The browser is one in which this very user signed in before. */
  readonly isKnownDevice: boolean
  readonly onFirstRefusal: () => Promise<void>
}

/** Gives back what was taken: the attempt was honest. */
type GiveBack = () => Promise<unknown>

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly users: Users
  readonly passwords: Passwords
  readonly limit: MakeLimit
  readonly replacePassword: ReplacePassword
}

// Where they signed in, or were seen signed in, in the last thirty days.
const addressesOf = statement(
  'addresses-of',
  "SELECT DISTINCT ip FROM sessions WHERE user_id = $1 AND ip IS NOT NULL AND last_seen_at > now() - interval '30 days' LIMIT 200",
)
const passwordOf = statement('password-of', "SELECT id, secret FROM authentication_methods WHERE user_id = $1 AND kind = 'password' AND deleted_at IS NULL")

/**
 * Makes the service. Budgets: ten failures an account and a quarter of an hour, thirty an address and minute. Where strangers used the
 * account's up, each address where its user signed in lately has ten of its own. A browser in which its user signed in before has ten
 * of its own and no others, whatever strangers used up.
 */
export const createSignIn = ({ database, change, users, passwords, limit, replacePassword }: Needs): SignIn => {
  const byAccount = limit('sign-in:account', { points: 10, durationSeconds: 900 })
  const byKnownAddress = limit('sign-in:known-address', { points: 10, durationSeconds: 900 })
  const byAddress = limit('sign-in:address', { points: 30, durationSeconds: 60 })

  const check = async (hashing: Hashing, { user, password }: { user?: User; password: string }) => {
    const [method] = await database.run<{ id: string; secret: string }>(passwordOf, [user?.id ?? null])
    const isMatch = await hashing.verify(password, method?.secret)
    const proven = isMatch && user && !user.isSuspended ? user : undefined
    const renewed = proven && method && passwords.isOutdated(method.secret) ? { ...method, renewed: await hashing.hash(password) } : undefined
    return { proven, renewed }
  }

  const refuse = (actor: Actor, { name, ...refusal }: Refusal) =>
    change(actor, async (_tx, record) => record(`${name}.refused`, { ...refusal, method: 'password' }, { outcome: 'refused' }))

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

  const consume = async (budgeted: Budgeted): Promise<GiveBack> => {
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

  return {
    prove: async (actor, { identifier, password, device, isAgain = false }) => {
      const name = isAgain ? 'reauthentication' : 'sign_in'
      const normalized = normalizeEmail(identifier)
      const user = normalized === undefined ? undefined : await users.findByEmail(normalized)
      // A browser in which this user signed in before has a budget of its own: strangers who guess close only the others.
      const ownDevice = device && user && device.userIds.includes(user.id) ? device.id : ''
      const accountKey = hashOf('account', `${normalized ?? identifier}\0${ownDevice}`).toString('base64url')
      const ipKey = addressKey(actor.ip ?? 'unknown')
      // A point is taken before the password is looked at, and in turn: however many try at once, none is checked beyond the
      // budgets, and no honest crowd is refused for being many.
      const { proven, renewed, giveBack } = await tellingFirstRefusal(
        onFirstRefusal =>
          passwords.inTurn(async hashing => {
            const giveBack = await consume({ accountKey, ipKey, user, isKnownDevice: ownDevice !== '', onFirstRefusal })
            return { ...(await check(hashing, { user, password })), giveBack }
          }),
        () => refuse(actor, { name, id: user?.id, reason: 'too_many_attempts' }),
      )
      if (!proven) {
        await refuse(actor, { name, id: user?.id, reason: 'credentials' })
        throw new Problem('invalid_credentials')
      }
      await change({ ...actor, kind: 'user', id: proven.id }, async (tx, record) => {
        if (renewed) await renew(tx, renewed)
        record(`${name}.succeeded`, { id: proven.id, method: 'password' })
      })
      await giveBack()
      return { user: proven, amr: ['pwd'] }
    },
    hasPassword: async userId => (await database.run(passwordOf, [userId])).length > 0,
    setPassword: async (actor, { id, password, guard, ...options }) => {
      const secret = await passwords.hash(password)
      await change(actor, async (tx, record) => {
        await guard?.(tx)
        await replacePassword(tx, { ...options, userId: id, secret, actor })
        record('password.set', { id })
      })
    },
  }
}

// Told when the work is over: the event waits for the log, and whoever waits must not keep a place from others.
const tellingFirstRefusal = async <Result>(work: (onFirstRefusal: () => Promise<void>) => Promise<Result>, tell: () => Promise<void>): Promise<Result> => {
  let isFirst = false
  try {
    return await work(async () => {
      isFirst = true
    })
  } catch (error) {
    if (isFirst) await tell()
    throw error
  }
}

// Only what was proven is replaced: of two at once one renews, and a password that was set meanwhile stays.
const renew = async (tx: TransactionClient, { id, secret, renewed }: { id: string; secret: string; renewed: string }) => {
  await tx.authenticationMethod.updateMany({ where: { id, secret, deletedAt: null }, data: { secret: renewed } })
}
