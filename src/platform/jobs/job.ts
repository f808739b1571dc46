// The words of jobs: a kind of work that is done later, and again until it is done.
import type { z } from 'zod'

/** A kind of job. Its payload is plain JSON. */
export interface JobKind<Payload> {
  /** Such as `mail.send`; stored, so never renamed. */
  readonly name: string
  readonly schema: z.ZodType<Payload>
  /** How often it is tried before it is given up. */
  readonly maxAttempts: number
}

/** A job with the work it asks for. Work must bear being done twice: a process may die between doing it and saying so. */
export interface JobHandler {
  readonly kind: JobKind<unknown>
  /** Throws {@link Hopeless} where trying again would be no use. */
  handle(payload: unknown, job: { readonly id: string; readonly attempt: number }): Promise<void>
}

/** Ties a kind to its work; the payload is what the kind's schema parsed. */
export const jobHandler = <Payload>(
  kind: JobKind<Payload>,
  handle: (payload: Payload, job: { readonly id: string; readonly attempt: number }) => Promise<void>,
): JobHandler => ({
  kind,
  handle: async (payload, job) => handle(kind.schema.parse(payload), job),
})

/** Thrown by work that will never be done: the job is given up at once. */
export class Hopeless extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Hopeless'
  }
}
