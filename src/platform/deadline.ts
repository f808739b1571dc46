// The time that a request has. Who runs out of it is given up before the next step, but only for as long as nothing was changed that stays:
// from then on it goes on to its end, so that nobody is told of a failure who had what they asked for.
import { currentContext, runFor } from './context.ts'

/** Until when something more may be begun: milliseconds of `performance.now()`; infinity where that was lifted. */
export interface Deadline {
  at: number
}

/** Tells that the time is over, as PostgreSQL tells of a statement that it cancelled: whoever knows the one knows the other. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly code = '57014' // query_canceled
  readonly severity = 'ERROR'

  constructor() {
    super('canceled, because its request took too long')
  }
}

/** One that begins now. */
export const createDeadline = (seconds: number): Deadline => ({ at: performance.now() + seconds * 1000 })

/** Throws a {@link DeadlineError} when what runs now may begin nothing more. */
export const keepDeadline = (): void => {
  const deadline = currentContext()?.deadline
  if (deadline && performance.now() > deadline.at) throw new DeadlineError()
}

/** Something is changed that stays, or the answer is there: what runs for this takes as long as it takes. */
export const liftDeadline = (deadline = currentContext()?.deadline): void => {
  if (deadline) deadline.at = Number.POSITIVE_INFINITY
}

/** Runs what belongs to no step of the request, such as counting it: it is neither given up nor a change that stays. */
export const asideOfDeadline = <Result>(work: () => Result): Result => {
  const context = currentContext()
  return context?.deadline ? runFor({ ...context, deadline: undefined }, work) : work()
}
