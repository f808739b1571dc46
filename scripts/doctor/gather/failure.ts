// Says why a place could not be asked.
import type { Failure } from '../facts.ts'

/** For how long one place is waited for. */
export const patienceMilliseconds = 4000

/** What an error says, in one line. Only what the system, PostgreSQL, Redis or a mail server answered: none of them repeats a password. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof AggregateError && error.errors.length > 0) return failureOf(error.errors[0])
  if (!(error instanceof Error)) return { code: 'UNKNOWN', reason: String(error) }
  const code = 'code' in error ? String(error.code) : error.name
  return { code, reason: (error.message || code).replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 200) }
}
