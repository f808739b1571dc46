// Names each request, traces and measures it, and logs its end: an id from the caller where it is well-formed, else a new one.
import type { Context, Middleware } from 'koa'
import { runFor } from '../context.ts'
import { createDeadline, liftDeadline } from '../deadline.ts'
import type { Log } from '../log.ts'
import type { RequestMeter } from '../metrics/requests.ts'
import type { Span, Tracing } from '../tracing/tracing.ts'
import { isUuid } from '../uuid.ts'

const wellFormed = /^[A-Za-z0-9_.-]{8,128}$/

interface Needs {
  readonly log: Log
  readonly newId: () => string
  readonly meter: RequestMeter
  readonly tracing?: Tracing | undefined
  /** How long a request may take that changed nothing yet. */
  readonly timeoutSeconds: number
  /** The template of the route that answered. */
  readonly routeOf: (ctx: Context) => string
}

/**
 * Sets `ctx.state.requestId` and `X-Request-Id`; logs one line of method, route, path (never the query, nor a secret), status and duration, which has
 * the request's id as every line has that is written for it.
 */
export const createRequestLog =
  ({ log, newId, meter, tracing, timeoutSeconds, routeOf }: Needs): Middleware =>
  async (ctx, next) => {
    const given = ctx.get('X-Request-Id')
    const requestId = wellFormed.test(given) ? given : newId()
    const startedAt = performance.now()
    meter.begin()
    const { method, path } = ctx
    const span = tracing?.begin({
      name: method,
      kind: 'server',
      attributes: { 'http.request.method': method },
      continues: ctx.get('traceparent'),
    })
    ctx.state.requestId = requestId
    ctx.set('X-Request-Id', requestId)
    const deadline = createDeadline(timeoutSeconds)
    try {
      await runFor({ requestId, span, deadline }, next)
    } finally {
      // What goes on after the answer, and what it set going, is not the request's any more.
      liftDeadline(deadline)
      const route = routeOf(ctx)
      const { status } = ctx
      meter.end({ method, route, status, startedAt })
      endSpan(span, { method, route, status })
      if (log.isLevelEnabled('info'))
        runFor({ requestId, span }, () =>
          log.info(
            { method, route, path: loggablePath(path), status, duration_ms: Math.round((performance.now() - startedAt) * 10) / 10, ip: ctx.ip },
            'request',
          ),
        )
    }
  }

const endSpan = (span: Span | undefined, { method, route, status }: { method: string; route: string; status: number }) => {
  span?.rename(`${method} ${route}`)
  span?.set({ 'http.route': route, 'http.response.status_code': status })
  // OpenTelemetry's conventions: what a caller did wrong is no error of the server's span.
  span?.end(status >= 500 ? new Error(String(status)) : undefined)
}

/** A path without what may be a secret that stands in it, by mistake or as an interaction's id: long parts with digits or capitals that are no UUID. */
export const loggablePath = (path: string): string =>
  path
    .split('/')
    .map(part => (part.length >= 16 && /[\dA-Z%]/.test(part) && !isUuid(part) ? '[…]' : part))
    .join('/')
