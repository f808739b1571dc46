// Turns away what no handler should see: another host, encoded or oversized bodies, text that cannot be kept.
import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { Problem } from '../errors.ts'

const maxBodyBytes = 100 * 1024
// Nothing here is read as anything but UTF-8, whatever it is said to be.
const foreignCharset = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i

interface Needs {
  readonly issuer: string
  readonly larger: (path: string) => boolean
  readonly alias?: { readonly origin: string; readonly paths: ReadonlySet<string> } | undefined
}

/**
 * Throws a Problem for each; the host must be the issuer's, so that no address is ever made from another (RFC 9110 §15.5.20).
 * `alias` is one more origin, with the paths that are answered there. `larger` are the paths whose own routes bound what is posted to them.
 */
export const createGuard = ({ issuer, larger, alias }: Needs): Middleware => {
  const own = new URL(issuer)
  const other = alias && { origin: new URL(alias.origin), paths: alias.paths }
  return (ctx, next) => {
    if (hasSeveralHosts(ctx.req)) throw new Problem('several_hosts')
    const asked = plainHost(ctx.host, own.protocol)
    const { host, origin } = other?.paths.has(ctx.path) && asked === other.origin.host ? other.origin : own
    // Koa leaves out what stands before an `@` in the Host; no host has one (RFC 9110 §7.2).
    if (asked !== host || ctx.get('Host').includes('@') || isElsewhere(ctx.url, origin)) throw new Problem('wrong_host')
    if (ctx.get('Content-Encoding') || foreignCharset.test(ctx.get('Content-Type'))) throw new Problem('unsupported_media_type')
    if ((ctx.request.length ?? 0) > maxBodyBytes && !larger(ctx.path)) throw new Problem('payload_too_large')
    if (/%00/.test(ctx.url)) throw new Problem('malformed_text')
    return next()
  }
}

/** A host in small letters, without the port that its scheme has anyway: the same authority (RFC 9110 §4.2.3). */
export const plainHost = (host: string, protocol: string): string => {
  const lower = host.toLowerCase()
  const port = protocol === 'https:' ? ':443' : ':80'
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower
}

/** Whether a request has several Host headers, which is 400 (RFC 9112 §3.2): Node keeps the first; a proxy may have believed another. */
export const hasSeveralHosts = ({ rawHeaders }: IncomingMessage): boolean => {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') hosts += 1
  return hosts > 1
}

// RFC 9112 §3.2.2: a target in absolute form says the host, before any header; the engine makes its addresses of it.
const isElsewhere = (target: string, origin: string): boolean => !target.startsWith('/') && target !== '*' && !target.toLowerCase().startsWith(`${origin}/`)
