// How often a password may be tried: by account, by address, and apart from both in a browser whose user signed in there before.
import type { Database } from '../platform/data/database.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { createGuessBudget, type GuessBudget } from './guess-budget.ts'

/** Makes the budget: ten failures an account and a quarter of an hour, thirty an address and minute. */
export const createSignInBudget = ({ database, limit }: { database: Database; limit: MakeLimit }): GuessBudget =>
  createGuessBudget({
    database,
    areTwoFactorsProven: false,
    byAccount: [limit('sign-in:account', { points: 10, durationSeconds: 900 })],
    byAddress: limit('sign-in:address', { points: 30, durationSeconds: 60 }),
  })
