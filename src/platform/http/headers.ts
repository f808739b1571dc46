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
  /** Names and values in turn. */
  abstract get borne(): readonly string[]
  bears = false

  bear(): void {
    this.bears = true
    for (let at = 0; at < this.borne.length; at += 2) this.setHeader(this.borne[at] ?? '', this.borne[at + 1] ?? '')
  }

  override writeHead(status: number, ...more: unknown[]): this {
    if (!this.bears) this.bear()
    return super.writeHead(status, ...(more as never[]))
  }
}

/** What a server makes its answers of, so that all bear the headers. */
export const answersWith = (headers: SecurityHeaders): typeof ServerResponse => {
  const borne = Object.entries(headers).flat()
  return class extends SafeResponse {
    get borne() {
      return borne
    }
  } as unknown as typeof ServerResponse
}

/** Puts the headers on an answer that is begun, for whoever gives it to narrow them. */
export const bearHeaders = (response: ServerResponse): void => {
  if (response instanceof SafeResponse) response.bear()
}

/**
 * Gives a whole answer. Its headers, names and values in turn, go out in one list with those that every answer bears: put on one by one, they cost as
 * much as all else of a small answer. The body is ASCII, which is written as it stands.
 */
export const answerAtOnce = (
  response: ServerResponse,
  { status, headers, body }: { status: number; headers: readonly string[]; body?: string | undefined },
): void => {
  if (response instanceof SafeResponse) {
    response.bears = true
    response.writeHead(status, [...response.borne, ...headers]).end(body, 'latin1')
  } else response.writeHead(status, [...headers]).end(body, 'latin1')
}
