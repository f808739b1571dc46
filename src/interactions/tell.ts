// Tells a Problem by the status and the headers of a page.
import type { Context } from 'koa'
import type { Problem } from '../platform/errors.ts'

/** Sets the status and says when to try again. */
export const tell = (ctx: Context, problem: Problem): void => {
  ctx.status = problem.status
  if (problem.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(problem.retryAfterSeconds))
}
