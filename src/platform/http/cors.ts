// Which other origins' pages may call the API: those that are named, with a bearer credential, never with a cookie.
import type { Middleware } from 'koa'

const allowedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id'
const exposedHeaders = 'ETag, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id'

/** Answers preflights and names the origin, below the prefix. */
export const createCors = ({ prefix, origins }: { prefix: string; origins: readonly string[] }): Middleware => {
  const known = new Set(origins)
  return (ctx, next) => {
    if (!ctx.path.startsWith(prefix) || known.size === 0) return next()
    const origin = ctx.get('Origin')
    ctx.vary('Origin')
    if (!known.has(origin)) return next()
    ctx.set('Access-Control-Allow-Origin', origin)
    ctx.set('Access-Control-Expose-Headers', exposedHeaders)
    if (ctx.method !== 'OPTIONS' || !ctx.get('Access-Control-Request-Method')) return next()
    ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, PATCH, DELETE')
    ctx.set('Access-Control-Allow-Headers', allowedHeaders)
    ctx.set('Access-Control-Max-Age', '600')
    ctx.status = 204
  }
}
