// The security headers of every answer; pages narrow the content policy further.
import type { Middleware } from 'koa'

// The engine's own form_post page adds the hash of its script to `script-src`.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

/** Sets them before anything answers; HSTS where the issuer is https. */
export const createHeaders = ({ isSecure }: { isSecure: boolean }): Middleware => {
  const headers = Object.entries({
    'Content-Security-Policy': contentPolicy,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    ...(isSecure ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
  })
  return (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value)
    return next()
  }
}
