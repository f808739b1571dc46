// Measures requests by the template of their route, never by their path.
import type { Metrics } from './metrics.ts'

/** A request that was answered. */
export interface Answered {
  readonly method: string
  readonly route: string
  readonly status: number
  /** As `performance.now()` told it. */
  readonly startedAt: number
}

/** Measures requests. */
export interface RequestMeter {
  begin(): void
  /** Of a request that was begun. */
  end(answered: Answered): void
  /** Of a request that was answered in one go. */
  observe(answered: Answered): void
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const noop = () => {}

/** Makes it; without metrics it measures nothing. */
export const createRequestMeter = (metrics: Metrics | undefined): RequestMeter => {
  if (!metrics) return { begin: noop, end: noop, observe: noop }
  const observe = metrics.histogram({
    name: 'authy2_http_request_duration_seconds',
    help: 'Time from a request to its answer, by the template of its route; of answers that are streamed, to their first line.',
    labels: ['method', 'route', 'status'],
    open: ['route'],
  })
  let inFlight = 0
  metrics.gauge({ name: 'authy2_http_requests_in_flight', help: 'Requests that are being answered.', read: () => [{ value: inFlight }] })
  const observeOne = ({ method, route, status, startedAt }: Answered) =>
    observe((performance.now() - startedAt) / 1000, { method: methods.has(method) ? method : 'other', route, status: `${Math.floor(status / 100)}xx` })
  return {
    begin: () => {
      inFlight += 1
    },
    end: answered => {
      inFlight -= 1
      observeOne(answered)
    },
    observe: observeOne,
  }
}
