// Keeps statements within the time of the request that they are for: looked at before each is sent, and lifted by the first that stays.
import type pg from 'pg'
import { keepDeadline, liftDeadline } from '../deadline.ts'
import { textOf } from './statement-text.ts'

// Beginning and ending a transaction, and what a new connection is set to, is not for the request to give up.
const work = /^\s*(?:select|insert|update|delete|with)\b/i
const reading = /^\s*select\b/i
const commit = /^\s*commit\b/i

/** Has a pool give up, before a connection is asked for, what there is no time for. Outside transactions a write stays at once. */
export const withDeadlines = (pool: pg.Pool): pg.Pool => {
  const query = pool.query.bind(pool) as (...given: unknown[]) => unknown
  const connect = pool.connect.bind(pool) as (...given: unknown[]) => unknown
  return Object.assign(pool, {
    query: async (...given: unknown[]) => {
      keepDeadline()
      if (!reading.test(textOf(given[0]))) liftDeadline()
      return query(...given)
    },
    connect: (...given: unknown[]) => {
      // The pool's own statements come by a callback, and were looked at.
      if (typeof given[0] === 'function') return connect(...given)
      try {
        keepDeadline()
      } catch (error) {
        return Promise.reject(error)
      }
      return connect()
    },
  })
}

/** The same for a statement of a transaction, which is whole or not there: only its end stays. Throws a DeadlineError. */
export const keepStatementDeadline = (query: unknown): void => {
  const text = textOf(query)
  if (commit.test(text)) liftDeadline()
  else if (work.test(text)) keepDeadline()
}
