// The one place where what was thrown becomes an answer, in the shape of its surface: envelope, protocol error or page.
import type { Context, Middleware } from 'koa'
import { isUnavailable } from '../data/database.ts'
import { Problem } from '../errors.ts'
import type { Log } from '../log.ts'
import { isOfConnection } from './connection.ts'
import { failure } from './envelope.ts'
import { loggablePath } from './request.ts'

/** Shows a Problem to a person. */
export type ShowProblem = (ctx: Context, problem: Problem) => void

/** What `WWW-Authenticate` says of a refusal under /api; nothing where it says nothing. */
export type Challenge = (ctx: Context, problem: Problem) => string | undefined

/** Catches all. Whatever is not a Problem, and is no passing failure, is a bug: logged with its cause, told as `internal`. */
export const createErrorBoundary =
  ({ log, show, challenge }: { log: Log; show: ShowProblem; challenge: Challenge }): Middleware =>
  async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const problem = toProblem(error)
      if (problem.status >= 500) log[problem.code === 'internal' ? 'error' : 'warn']({ err: error, path: loggablePath(ctx.path) }, problem.message)
      tell(ctx, { problem, show, challenge })
    }
  }

const toProblem = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  if (isUnavailable(error)) return new Problem('unavailable', { cause: error, retryAfterSeconds: 5 })
  if (isOfConnection(error)) return new Problem('malformed_body', { cause: error })
  // koa-body and the parsers below it say by a status what was wrong with a body.
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  if (status === 413) return new Problem('payload_too_large', { cause: error })
  if (status === 415) return new Problem('unsupported_media_type', { cause: error })
  if (status === 400) return new Problem('malformed_body', { cause: error })
  return new Problem('internal', { cause: error })
}

const tell = (ctx: Context, { problem, show, challenge }: { problem: Problem; show: ShowProblem; challenge: Challenge }) => {
  ctx.status = problem.status
  ctx.set('Cache-Control', 'no-store')
  if (problem.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(problem.retryAfterSeconds))
  if (problem.status === 413) ctx.set('Connection', 'close')
  if (ctx.path === '/api' || ctx.path.startsWith('/api/')) {
    const challenged = challenge(ctx, problem)
    if (challenged !== undefined) ctx.set('WWW-Authenticate', challenged)
    ctx.body = failure(problem, ctx.state.requestId)
  } else if (ctx.accepts('json', 'html') === 'html') {
    show(ctx, problem)
  } else {
    ctx.body = { error: oauthCode(problem), error_description: problem.message }
  }
}

// RFC 6749 §5.2 and §4.1.2.1 have few codes; the status says the rest.
const oauthCode = ({ status }: Problem) => (status === 503 ? 'temporarily_unavailable' : status >= 500 ? 'server_error' : 'invalid_request')
