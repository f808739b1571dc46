// Statements as spans of the trace they belong to: by their name, never by what they are asked with.
import type pg from 'pg'
import { told } from '../tracing/tracing.ts'
import { textOf } from './statement-text.ts'

/** Has a pool's statements tell of themselves. Inside transactions connections tell themselves. */
export const toldStatements = (pool: pg.Pool): pg.Pool => {
  const query = told(pool.query.bind(pool) as (...query: unknown[]) => unknown, describeStatement)
  return Object.assign(pool, { query })
}

/** What is told of a statement: the name it was given, else what it does to which table. */
export const describeStatement = (...[query]: readonly unknown[]) => {
  const given = nameOf(query)
  const name = given === '' || given.startsWith('prisma-') ? summaryOf(textOf(query)) : given
  return { name, attributes: { 'db.system.name': 'postgresql', 'db.query.summary': name } }
}

const nameOf = (query: unknown): string => {
  const name: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, 'name') : ''
  return typeof name === 'string' ? name : ''
}

const most = 1000
const summaries = new Map<string, string>()

const summaryOf = (text: string): string => {
  const known = summaries.get(text)
  if (known !== undefined) return known
  const verb = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'statement'
  const table = /\b(?:from|into|update|join)\s+(?:"?public"?\.)?"?([a-z_]+)"?/i.exec(text)?.[1]
  const summary = table === undefined ? verb : `${verb} ${table}`
  if (summaries.size < most) summaries.set(text, summary)
  return summary
}
