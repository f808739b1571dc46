// Turns away what no handler should see: another host, encoded or oversized bodies, text that cannot be kept.
import type { Middleware } from 'koa'
import { Problem } from '../errors.ts'

const maxBodyBytes = 100 * 1024
// Nothing here is read as anything but UTF-8, whatever it is said to be.
const foreignCharset = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i

/**
 * Throws a Problem for each; the host must be the issuer's, so that no address is ever made from another (RFC 9110 §15.5.20).
 * `larger` are the paths whose own routes bound what is posted to them.
 */
export const createGuard = ({ issuer, larger }: { issuer: string; larger: (path: string) => boolean }): Middleware => {
  const { host } = new URL(issuer)
  return (ctx, next) => {
    // Koa leaves out what stands before an `@` in the Host; no host has one (RFC 9110 §7.2).
    if (ctx.host.toLowerCase() !== host || ctx.get('Host').includes('@') || hasTwoHosts(ctx.req.rawHeaders)) throw new Problem('wrong_host')
    if (ctx.get('Content-Encoding') || foreignCharset.test(ctx.get('Content-Type'))) throw new Problem('unsupported_media_type')
    if ((ctx.request.length ?? 0) > maxBodyBytes && !larger(ctx.path)) throw new Problem('payload_too_large')
    if (/%00/.test(ctx.url)) throw new Problem('malformed_text')
    return next()
  }
}

// Node keeps the first of several Host headers; a proxy may have believed another.
const hasTwoHosts = (rawHeaders: readonly string[]): boolean => {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') hosts += 1
  return hosts > 1
}
