// The one door where a second factor is proven by a code: budgets before the look, an event for each try. It knows also what else there is.
import type { KnownDevice } from '../authentication/authentication.ts'
import type { GuessBudget, MakeGuessBudget } from '../authentication/guess-budget.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { type Database, statement, type TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { Limit, MakeLimit } from '../platform/http/limit.ts'
import { amrOfCode, type CodeFactor, type SecondFactorName, secondFactors } from './authenticator.ts'

/** Proves people by a second factor. */
export interface SecondFactor {
  /** What this user can prove a second factor by; nothing for whoever has enrolled none. Recovery codes stand in for any of them. */
  list(userId: string): Promise<readonly SecondFactorName[]>
  /** Throws `invalid_code` for every kind of wrong and `too_many_attempts` beyond the budgets. Gives the references of what was proven. */
  prove(actor: Actor, proof: CodeProof): Promise<{ amr: readonly string[] }>
}

interface CodeProof {
  readonly userId: string
  readonly factor: CodeFactor
  readonly code: string
  readonly device?: KnownDevice
}

type Accept = (tx: TransactionClient, proof: { userId: string; code: string; actor: Actor }) => Promise<boolean>

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly limit: MakeLimit
  readonly makeBudget: MakeGuessBudget
  /** How a code of each factor is looked at and used up. */
  readonly factors: Readonly<Record<CodeFactor, { readonly accept: Accept }>>
}

const enrolled = statement(
  'second-factors-of',
  `SELECT coalesce(bool_or(kind = 'totp'), false) AS totp, coalesce(bool_or(kind = 'passkey'), false) AS passkey,
     EXISTS (SELECT 1 FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL) AS recovery_code
   FROM authenticators WHERE user_id = $1 AND confirmed_at IS NOT NULL AND deleted_at IS NULL`,
)

/**
 * Makes the service. Five wrong codes of an app and the user waits five minutes, ten and it is an hour, twenty and it is a day: whoever
 * knows the password guesses a code of six digits with a chance of one in sixteen thousand a day. A place where the user proved two
 * factors before has as many apart. Recovery codes have eighty bits, which nobody guesses: they are bounded so widely that whoever is
 * guessed at can enter by one.
 */
export const createSecondFactor = ({ database, change, limit, makeBudget, factors }: Needs): SecondFactor => {
  const byAddress = limit('factor:address', { points: 30, durationSeconds: 60 })
  const budgets: Readonly<Record<CodeFactor, GuessBudget>> = {
    totp: makeBudget({ byAddress, byAccount: growing(limit, 'totp') }),
    recovery_code: makeBudget({ byAddress, byAccount: [limit('factor:recovery-code:wide', { points: 1000, durationSeconds: 3600 })] }),
  }

  return {
    list: async userId => {
      const [row] = await database.run<Readonly<Record<SecondFactorName, boolean>>>(enrolled, [userId])
      return row?.totp || row?.passkey ? secondFactors.filter(factor => row[factor]) : []
    },
    prove: async (actor, { userId, factor, code, device }) => {
      const ownDeviceId = device?.twoFactorIds.includes(userId) ? device.id : undefined
      const onFirstRefusal = () =>
        change(actor, async (_tx, record) => record('factor.refused', { id: userId, factor, reason: 'too_many_attempts' }, { outcome: 'refused' }))
      // A point is taken before the code is looked at: however many try at once, none is checked beyond the budgets.
      const giveBack = await budgets[factor].take({ account: userId, userId, ip: actor.ip, ownDeviceId, onFirstRefusal })
      const isAccepted = await change(actor, async (tx, record) => {
        const accepted = await factors[factor].accept(tx, { userId, code, actor })
        record(accepted ? 'factor.accepted' : 'factor.refused', { id: userId, factor }, { outcome: accepted ? 'kept' : 'refused' })
        return accepted
      })
      if (!isAccepted) throw new Problem('invalid_code')
      await giveBack()
      return { amr: amrOfCode }
    },
  }
}

const growing = (limit: MakeLimit, name: string): Limit[] => [
  limit(`factor:${name}:short`, { points: 5, durationSeconds: 300 }),
  limit(`factor:${name}:hour`, { points: 10, durationSeconds: 3600 }),
  limit(`factor:${name}:day`, { points: 20, durationSeconds: 86_400 }),
]
