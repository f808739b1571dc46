// Tells the log why what was asked of another provider came to nothing: names and messages alone, for what hangs on such errors are tokens and answers.
import type { Problem } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Finding } from './connector.ts'

const maxDepth = 4
const maxLength = 300

/** Notes it where there is something to tell. */
export const tellCause = (log: Log, problem: Problem): void => {
  const causes = causesOf(problem.cause)
  if (causes.length > 0) log.warn({ problem: problem.code, causes }, 'a sign-in at another provider failed')
}

/** Notes what a test of a connection stumbled over. */
export const tellFindings = (log: Log, connectionId: string, findings: readonly Finding[]): void => {
  for (const { check, cause } of findings)
    if (cause !== undefined) log.warn({ connectionId, check, causes: causesOf(cause) }, 'a test of a connection found a fault')
}

/** What led to an error, the nearest first. */
export const causesOf = (error: unknown, depth = 0): readonly string[] =>
  error instanceof Error && depth < maxDepth ? [`${error.name}: ${error.message}`.slice(0, maxLength), ...causesOf(error.cause, depth + 1)] : []
