// The address that a request comes from, as it is shown, counted and kept everywhere: in one spelling.
import type { Middleware } from 'koa'

/**
 * Has `ctx.ip` tell it so. Where the server listens for IPv6 too, callers by IPv4 come as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2), and a proxy
 * may write that in any way it likes.
 */
export const takePlainAddress: Middleware = (ctx, next) => {
  ctx.request.ip = plainAddress(ctx.request.ip)
  return next()
}

/** An address in its plain spelling: IPv4 also where it came written as IPv6. */
export const plainAddress = (ip: string): string => {
  if (!ip.includes(':') || !/ffff/i.test(ip)) return ip
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(URL.parse(`http://[${ip}]`)?.hostname ?? '')
  return mapped ? [mapped[1], mapped[2]].map(group => octetsOf(Number.parseInt(group ?? '', 16))).join('.') : ip
}

const octetsOf = (group: number) => `${group >> 8}.${group & 255}`
