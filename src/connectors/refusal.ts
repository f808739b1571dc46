// Why somebody was refused at a sign-in by another provider, for the audit log alone: they themselves are told one neutral sentence.
import { Problem } from '../platform/errors.ts'

/** The reason, and of whom it is told where there is somebody. */
export class Refusal extends Error {
  readonly reason: string
  readonly userId?: string

  constructor(reason: string, userId?: string) {
    super(reason)
    this.reason = reason
    this.userId = userId
  }
}

/** The one Problem of all refusals. */
export const refused = (reason: string, userId?: string): Problem => new Problem('upstream_unlinked', { cause: new Refusal(reason, userId) })
