// What goes out as spans of the trace it belongs to. The trace's name is not handed on: it is nobody's business elsewhere.
import { asStep } from './tracing.ts'

/** Has a fetch tell of itself: method, host and status, never path or query. */
export const toldFetch = (send: typeof fetch): typeof fetch =>
  ((input, init) => {
    const url = input instanceof Request ? input.url : input.toString()
    const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase()
    const host = URL.canParse(url) ? new URL(url).hostname : ''
    const step = {
      name: `${method} elsewhere`,
      attributes: { 'http.request.method': method, 'server.address': host },
      tell: ({ status }: Response) => ({ 'http.response.status_code': status }),
    }
    return asStep(step, () => send(input, init))
  }) satisfies typeof fetch
