// The security headers of every answer; pages narrow the content policy further.
import type { Middleware } from 'koa'

// The engine's own form_post page adds the hash of its script to `script-src`.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
const permissions = 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)'

/** Sets them before anything answers; HSTS where the issuer is https. */
export const createHeaders = ({ isSecure }: { isSecure: boolean }): Middleware => {
  const headers: Record<string, string> = {
    'Content-Security-Policy': contentPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': permissions,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex',
    ...(isSecure ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
  }
  return (ctx, next) => {
    ctx.set(headers)
    return next()
  }
}
