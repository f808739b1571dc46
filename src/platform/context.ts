// What is known of the request or job that code runs for, wherever it runs: its name, the span of its trace, and its time.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Actor } from './actor.ts'
import type { TransactionClient } from './data/database.ts'
import type { Deadline } from './deadline.ts'
import type { Span } from './tracing/tracing.ts'

/**
 * Locks what the authority of whoever asks rests on until the transaction ends: in the system, and in those of the organizations where it is of
 * them. Throws `unauthenticated` or `forbidden` where it is not what it was when they were identified. What it looked at once in a transaction
 * it does not look at again.
 */
export type HoldAuthority = (tx: TransactionClient, organizationIds?: readonly string[]) => Promise<void>

/** Runs what somebody asks for, and holds their authority in each change that it makes. */
export type ActAs = <Result>(actor: Actor, work: () => Promise<Result>) => Promise<Result>

/** What code runs for. */
export interface WorkContext {
  /** The request's id; a job has that of the request that asked for it. */
  readonly requestId?: string | undefined
  /** Where what happens is told, when the request is traced. */
  readonly span?: Span | undefined
  /** Absent for what takes as long as it takes. */
  readonly deadline?: Deadline | undefined
  /** Asked in the transaction of each change; absent where nobody who is known asks. */
  readonly holdAuthority?: HoldAuthority | undefined
  /** Belongs to the transaction of each change; what it throws rolls the change back. */
  readonly beforeCommit?: ((tx: TransactionClient) => Promise<void>) | undefined
}

const storage = new AsyncLocalStorage<WorkContext | undefined>()

/** What runs now; `undefined` for what belongs to no request. */
export const currentContext = (): WorkContext | undefined => storage.getStore()

/** Runs work, and all that it starts, for something. */
export const runFor = <Result>(context: WorkContext | undefined, work: () => Result): Result => storage.run(context, work)

/** To be awaited before a change takes authority away, be it that of whoever asks; every other change asks at its end. */
export const holdAuthority: HoldAuthority = async (tx, organizationIds) => {
  await currentContext()?.holdAuthority?.(tx, organizationIds)
}
