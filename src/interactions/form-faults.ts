// How a page tells of a Problem: with its status, beside the field or above the form.
import type { Context } from 'koa'
import type { Problem } from '../platform/errors.ts'
import type { FormProblem } from './page-locals.ts'

/** Sets the status and says when to try again. */
export const tell = (ctx: Context, problem: Problem): void => {
  ctx.status = problem.status
  if (problem.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(problem.retryAfterSeconds))
}

/** What the page shows of it. */
export const faults = (problem: Problem | undefined): FormProblem => {
  if (!problem) return {}
  if (problem.code === 'too_many_attempts') return { error: `Too many attempts. Try again in ${inWords(problem.retryAfterSeconds ?? 60)}.` }
  if (!problem.fields) return { error: problem.message }
  return { fieldErrors: Object.fromEntries(problem.fields.map(({ path, message }) => [path, sentence(path, message)])) }
}

// What the API says of a field goes on from its name.
const sentence = (path: string, message: string) => (/^[a-z]/.test(message) ? `The ${path} ${message}.` : message)

const inWords = (seconds: number) => {
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}
