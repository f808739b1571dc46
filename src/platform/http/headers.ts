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

/** What a server makes its answers of, so that all bear the headers from the beginning: those too that Node gives before it asks a listener. */
export const answersWith = (headers: SecurityHeaders): typeof ServerResponse => {
  const entries = Object.entries(headers)
  return class extends ServerResponse {
    constructor(...given: ConstructorParameters<typeof ServerResponse>) {
      super(...given)
      for (const [name, value] of entries) this.setHeader(name, value)
    }
  } as typeof ServerResponse
}
