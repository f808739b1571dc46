// The address that a request comes from, as it is shown, counted and kept everywhere: in one spelling.
import { isIP, isIPv6 } from 'node:net'
import type { Middleware } from 'koa'

/**
 * Has `ctx.ip` tell it so. Where the server listens for IPv6 too, callers by IPv4 come as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2); a proxy writes
 * addresses in any way it likes, some with the port of the caller. What it wrote that is no address is not believed: then the request is its own.
 */
export const takePlainAddress: Middleware = (ctx, next) => {
  const { request } = ctx
  request.ip = findAddress(request.ip) ?? plainAddress(ctx.req.socket.remoteAddress ?? '')
  return next()
}

/** An address in its plain spelling: IPv4 also where it came written as IPv6, and IPv6 as RFC 5952 §4 says, without a zone. What is none stays as it is. */
export const plainAddress = (ip: string): string => {
  if (!isIPv6(ip)) return ip
  const [address = ip] = ip.split('%', 1)
  const spelt = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? ip
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(spelt)
  return mapped ? [mapped[1], mapped[2]].map(group => octetsOf(Number.parseInt(group ?? '', 16))).join('.') : spelt
}

// `address`, `address:port`, `[address]` or `[address]:port`.
const findAddress = (written: string): string | undefined => {
  if (isIP(written)) return plainAddress(written)
  const [, bracketed, plain = ''] = withPort.exec(written) ?? []
  const address = bracketed ?? plain
  return isIP(address) ? plainAddress(address) : undefined
}

const withPort = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/
const octetsOf = (group: number) => `${group >> 8}.${group & 255}`
