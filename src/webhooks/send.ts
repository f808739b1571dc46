// One try to send one event to its webhook, and what came of it.
import { ForbiddenAddress } from '../platform/http/outbound.ts'
import { retryAfterOf } from './retries.ts'
import { inUse, type SigningSecret, signaturesOf } from './signature.ts'
import type { deliveryErrors } from './webhook.ts'

/** An event on its way. */
export interface Outgoing {
  readonly url: string
  readonly secrets: readonly SigningSecret[]
  readonly id: string
  /** The same in every try. */
  readonly body: string
}

/** What came of a try. */
export interface Attempt {
  /** It was answered with success; else it is tried again. */
  readonly isDelivered: boolean
  /** It was answered 410: nobody there wants any more of it. */
  readonly isGone: boolean
  readonly status?: number
  readonly error?: (typeof deliveryErrors)[number]
  readonly durationMilliseconds: number
  readonly retryAfterSeconds?: number | undefined
}

/** Makes a try; never throws but for what `stopped` says. */
export type Send = (outgoing: Outgoing, stopped: AbortSignal) => Promise<Attempt>

interface Needs {
  /** The guarded fetch: it follows no redirect and has the time-out. */
  readonly fetch: typeof fetch
  readonly now: () => Date
}

/** Makes it. What is answered beside the status and `Retry-After` is not read. */
export const createSend =
  ({ fetch, now }: Needs): Send =>
  async ({ url, secrets, id, body }, stopped) => {
    const startedAt = performance.now()
    const duration = () => Math.round(performance.now() - startedAt)
    const timestamp = Math.floor(now().getTime() / 1000)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Authy2-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signaturesOf(inUse(secrets, now()), { id, timestamp, body }),
    }
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal: stopped })
      const durationMilliseconds = duration()
      await answer.body?.cancel()
      return {
        isDelivered: answer.ok,
        isGone: answer.status === 410,
        status: answer.status,
        durationMilliseconds,
        retryAfterSeconds: retryAfterOf(answer.headers.get('retry-after'), now()),
      }
    } catch (error) {
      stopped.throwIfAborted()
      return { isDelivered: false, isGone: false, error: errorOf(error), durationMilliseconds: duration() }
    }
  }

const errorOf = (error: unknown): Attempt['error'] => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : ''
    if (cause instanceof ForbiddenAddress) return 'forbidden_address'
    if (cause.name === 'TimeoutError' || /TIMEOUT|TIMEDOUT/.test(code)) return 'timeout'
    if (/CERT|SELF_SIGNED|VERIFY|ALTNAME|ISSUER/.test(code)) return 'certificate'
    if (code !== '') return 'unreachable'
  }
  return error instanceof Error && error.cause === undefined ? 'unreadable' : 'unreachable'
}
