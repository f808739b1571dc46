// What is known of the request or job that code runs for, wherever it runs: its name, the span of its trace, and its time.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { TransactionClient } from './data/database.ts'
import type { Deadline } from './deadline.ts'
import type { Span } from './tracing/tracing.ts'

/** What code runs for. */
export interface WorkContext {
  /** The request's id; a job has that of the request that asked for it. */
  readonly requestId?: string | undefined
  /** Where what happens is told, when the request is traced. */
  readonly span?: Span | undefined
  /** Absent for what takes as long as it takes. */
  readonly deadline?: Deadline | undefined
  /** Belongs to the transaction of each change; what it throws rolls the change back. */
  readonly beforeCommit?: ((tx: TransactionClient) => Promise<void>) | undefined
}

const storage = new AsyncLocalStorage<WorkContext | undefined>()

/** What runs now; `undefined` for what belongs to no request. */
export const currentContext = (): WorkContext | undefined => storage.getStore()

/** Runs work, and all that it starts, for something. */
export const runFor = <Result>(context: WorkContext | undefined, work: () => Result): Result => storage.run(context, work)
