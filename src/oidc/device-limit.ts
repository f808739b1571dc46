// User codes of devices are short, so guessing them is bounded by address (RFC 8628 §5.1).
import type { Middleware } from 'koa'
import { addressKey, type MakeLimit } from '../platform/http/limit.ts'

/** Sixty posted codes an address and ten minutes; connecting one device takes two. Throws `too_many_attempts`. */
export const createDeviceLimit = (limit: MakeLimit): Middleware => {
  const byAddress = limit('device:address', { points: 60, durationSeconds: 600 })
  return async (ctx, next) => {
    if (ctx.method === 'POST' && ctx.path === '/device') await byAddress.consume(addressKey(ctx.ip))
    await next()
  }
}
