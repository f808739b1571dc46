// The security headers that every answer bears; pages narrow the content policy further.
import { ServerResponse } from 'node:http'

/** Names to values. */
export type SecurityHeaders = Readonly<Record<string, string>>

// The engine's own form_post page adds the hash of its script to `script-src`.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

/** The headers; with HSTS (RFC 6797) where the issuer is https, also where a proxy ends TLS. */
export const securityHeaders = ({ isSecure }: { readonly isSecure: boolean }): SecurityHeaders => ({
  'Content-Security-Policy': contentPolicy,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  ...(isSecure ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
})

/** An answer that bears the headers, whoever gives it: Node too, before it asks a listener. */
abstract class SafeResponse extends ServerResponse {
  abstract get borne(): SecurityHeaders
  /** The same, names and values in turn. */
  abstract get borneInTurn(): readonly string[]
  #isWhole = false

  bear(): void {
    for (const name in this.borne) this.setHeader(name, this.borne[name] ?? '')
  }

  answerAtOnce({ status, headers, body }: WholeAnswer): void {
    this.#isWhole = true
    this.writeHead(status, [...this.borneInTurn, ...headers]).end(body, 'latin1')
  }

  // What was narrowed stays; what was never put on, or taken off with all that a failed answer had, is put on.
  override writeHead(status: number, ...more: unknown[]): this {
    if (!this.#isWhole) for (const name in this.borne) if (!this.hasHeader(name)) this.setHeader(name, this.borne[name] ?? '')
    return super.writeHead(status, ...(more as never[]))
  }
}

/** What a server makes its answers of, so that all bear the headers. */
export const answersWith = (headers: SecurityHeaders): typeof ServerResponse => {
  const inTurn = Object.entries(headers).flat()
  return class extends SafeResponse {
    get borne() {
      return headers
    }
    get borneInTurn() {
      return inTurn
    }
  } as unknown as typeof ServerResponse
}

/** Puts the headers on an answer that is begun, for whoever gives it to narrow them. Throws where the server does not make its answers by {@link answersWith}. */
export const bearHeaders = (response: ServerResponse): void => safe(response).bear()

interface WholeAnswer {
  readonly status: number
  /** Besides those that every answer bears: names and values in turn. */
  readonly headers: readonly string[]
  /** In ASCII. */
  readonly body?: string | undefined
}

/**
 * Gives a whole answer, all its headers in one list: put on one by one, they cost as much as all else of a small answer. Throws where the server does
 * not make its answers by {@link answersWith}.
 */
export const answerAtOnce = (response: ServerResponse, whole: WholeAnswer): void => safe(response).answerAtOnce(whole)

const safe = (response: ServerResponse): SafeResponse => {
  if (response instanceof SafeResponse) return response
  throw new TypeError('an answer that bears no security headers')
}
