// Turns away what no handler should see: another host, encoded or oversized bodies, text that cannot be kept.
import type { Middleware } from 'koa'
import { Problem } from '../errors.ts'

const maxBodyBytes = 100 * 1024

/** Throws a Problem for each; the host must be the issuer's, so that no address is ever made from another (RFC 9110 §15.5.20). */
export const createGuard = ({ issuer }: { issuer: string }): Middleware => {
  const { host } = new URL(issuer)
  return (ctx, next) => {
    if (ctx.req.headersDistinct.host?.length !== 1 || ctx.host !== host) throw new Problem('wrong_host')
    if (ctx.get('Content-Encoding')) throw new Problem('unsupported_media_type')
    if ((ctx.request.length ?? 0) > maxBodyBytes) throw new Problem('payload_too_large')
    if (/%00/.test(ctx.url)) throw new Problem('malformed_text')
    return next()
  }
}
