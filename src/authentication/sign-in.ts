// Signing in with a password: a refused person learns nothing, neither by words nor by time.
//
// Every attempt that is looked at writes one event. Of those that a budget refuses only the first of a window does, for an account
// and for an address: a flood must not fill the log, which everybody's changes write to.
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import { normalizeEmail } from '../users/email.ts'
import type { User, UserId } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { KnownDevice, Proof, RefusalReason } from './authentication.ts'
import { type GuessBudget, ownDeviceOf } from './guess-budget.ts'
import type { Hashing, Passwords } from './password.ts'
import { hasPassword } from './password-row.ts'
import type { NewPassword, ReplacePassword } from './replace-password.ts'

/** A try to sign in. */
export interface Attempt {
  readonly identifier: string
  readonly password: string
  readonly device?: KnownDevice
  /** They are signed in and prove themselves once more, which is told as that. */
  readonly isAgain?: boolean
}

/** A proof, and the password's method that gave it. */
export interface PasswordProof extends Proof {
  readonly methodId: string
}

/** Proves people by password. */
export interface SignIn {
  /** Throws `invalid_credentials` for every kind of wrong, `too_many_attempts` beyond the budgets, `busy` when hashing is full. */
  prove(actor: Actor, attempt: Attempt): Promise<PasswordProof>
  /** Whether the user has a password. */
  hasPassword(userId: string): Promise<boolean>
  /**
   * Sets a user's password, whatever it was, and ends what the user is signed in with but for the session that is excepted.
   * `guard` is asked inside the change, before anything is written.
   */
  setPassword(actor: Actor, user: SetPassword): Promise<void>
}

/** The password that a user is to have from now on. */
export interface SetPassword extends Pick<NewPassword, 'exceptSid' | 'isFirstTold' | 'isRecovery'> {
  readonly id: UserId
  readonly password: string
  readonly guard?: (tx: TransactionClient) => Promise<void>
}

interface Refusal {
  readonly name: 'sign_in' | 'reauthentication'
  readonly id?: UserId
  readonly reason: RefusalReason
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly users: Users
  readonly passwords: Passwords
  readonly budget: GuessBudget
  readonly replacePassword: ReplacePassword
}

const passwordOf = statement('password-of', "SELECT id, secret FROM authentication_methods WHERE user_id = $1 AND kind = 'password' AND deleted_at IS NULL")

/** Makes the service. */
export const createSignIn = ({ database, change, users, passwords, budget, replacePassword }: Needs): SignIn => {
  const check = async (hashing: Hashing, { user, password }: { user?: User; password: string }) => {
    const [method] = await database.run<{ id: string; secret: string }>(passwordOf, [user?.id ?? null])
    const isMatch = await hashing.verify(password, method?.secret)
    const proven = isMatch && user && !user.isSuspended ? user : undefined
    const renewed = proven && method && passwords.isOutdated(method.secret) ? { ...method, renewed: await hashing.hash(password) } : undefined
    return { proven, renewed, method }
  }

  const refuse = (actor: Actor, { name, ...refusal }: Refusal) =>
    change(actor, async (_tx, record) => record(`${name}.refused`, { ...refusal, method: 'password' }, { outcome: 'refused' }))

  return {
    prove: async (actor, { identifier, password, device, isAgain = false }) => {
      const name = isAgain ? 'reauthentication' : 'sign_in'
      const normalized = normalizeEmail(identifier)
      const user = normalized === undefined ? undefined : await users.findByEmail(normalized)
      const guess = { account: normalized ?? identifier, userId: user?.id, ip: actor.ip, ownDeviceId: ownDeviceOf(user?.id, device) }
      // A point is taken before the password is looked at, and in turn: however many try at once, none is checked beyond the
      // budgets, and no honest crowd is refused for being many.
      const { proven, renewed, method, giveBack } = await tellingFirstRefusal(
        onFirstRefusal =>
          passwords.inTurn(async hashing => {
            const giveBack = await budget.take({ ...guess, onFirstRefusal })
            return { ...(await check(hashing, { user, password })), giveBack }
          }),
        () => refuse(actor, { name, id: user?.id, reason: 'too_many_attempts' }),
      )
      if (!proven) {
        await refuse(actor, { name, id: user?.id, reason: 'credentials' })
        throw new Problem('invalid_credentials')
      }
      const methodId = method?.id ?? ''
      const isTaken = await taking(() =>
        change({ ...actor, kind: 'user', id: proven.id }, async (tx, record) => {
          await mustStillHold(tx, { userId: proven.id, methodId })
          if (renewed) await renew(tx, renewed)
          record(`${name}.succeeded`, { id: proven.id, method: 'password' })
        }),
      )
      if (!isTaken) {
        await refuse(actor, { name, id: proven.id, reason: 'credentials' })
        throw new Problem('invalid_credentials')
      }
      await giveBack()
      return { user: proven, amr: ['pwd'], methodId }
    },
    hasPassword: userId => hasPassword(database.prisma, userId),
    setPassword: async (actor, { id, password, guard, ...options }) => {
      const secret = await passwords.hash(password)
      await change(actor, async (tx, record) => {
        await guard?.(tx)
        await replacePassword(tx, record, { ...options, userId: id, secret, actor })
        record('password.set', { id })
      })
    },
  }
}

// A password that is replaced while it is looked at proves nobody: whoever replaces it has the user's row first, and only what was
// committed is seen after waiting for it.
const mustStillHold = async (tx: TransactionClient, { userId, methodId }: { userId: string; methodId: string }) => {
  await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR SHARE`
  if (!(await isCurrent(tx, methodId))) throw new Replaced()
}

/** Whether a password's method is not replaced; to be asked while its user is locked. */
export const isCurrent = async (tx: TransactionClient, methodId: string): Promise<boolean> =>
  (await tx.$queryRaw<unknown[]>`SELECT 1 FROM authentication_methods WHERE id = ${methodId}::uuid AND deleted_at IS NULL`).length > 0

class Replaced extends Error {}

const taking = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof Replaced) return false
    throw error
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
