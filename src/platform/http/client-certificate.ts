// The certificate that a caller proved to hold: to us over TLS, or to the trusted proxy, which tells it in a header.
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Context } from 'koa'

/** Finds certificates and says whether they are trusted. */
export interface ClientCertificates {
  find(ctx: Context): X509Certificate | undefined
  /** Whether one of the authorities issued it, it is one for clients, and it is valid now. */
  isTrusted(ctx: Context): boolean
}

interface Needs {
  /** The header of the proxy: RFC 9440's `Client-Cert`, or the PEM with percent signs that nginx writes. */
  readonly header?: string | undefined
  /** How many proxies stand in front. */
  readonly trustedProxies: number
  readonly authorities: readonly X509Certificate[]
  readonly now: () => Date
}

const clientPurpose = '1.3.6.1.5.5.7.3.2'

/**
 * Makes it. With a header a certificate comes from there alone: the proxy ends TLS, and what it says of itself is not the client.
 * A request that did not pass all proxies has none, whatever it says.
 */
export const createClientCertificates = ({ header, trustedProxies, authorities, now }: Needs): ClientCertificates => {
  const known = new WeakMap<IncomingMessage, { readonly certificate: X509Certificate | undefined }>()
  const find = (ctx: Context): X509Certificate | undefined => {
    const found = known.get(ctx.req) ?? { certificate: header === undefined ? ofSocket(ctx.req) : ofHeader(ctx.req, { name: header, trustedProxies }) }
    known.set(ctx.req, found)
    return found.certificate
  }
  return {
    find,
    isTrusted: ctx => {
      const certificate = find(ctx)
      if (!certificate || !isValid(certificate, now()) || !isForClients(certificate)) return false
      const { socket } = ctx.req
      if (header === undefined) return socket instanceof TLSSocket && socket.authorized
      return authorities.some(authority => authority.ca && isValid(authority, now()) && isIssuedBy(certificate, authority))
    },
  }
}

const ofSocket = ({ socket }: IncomingMessage) => (socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined)

const ofHeader = ({ rawHeaders, headers }: IncomingMessage, { name, trustedProxies }: { name: string; trustedProxies: number }) => {
  const hops = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').filter(Boolean).length
  const [value, ...more] = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase())
  // RFC 9440 §2.4: the proxy removes what the client wrote. Where two came, it did not.
  if (!value || more.length > 0 || trustedProxies === 0 || hops < trustedProxies) return undefined
  return parse(value)
}

const maxCharacters = 16_384

// RFC 9440 §2.1: a byte sequence between colons. Else PEM, its line breaks and all else escaped.
const parse = (value: string): X509Certificate | undefined => {
  if (value.length > maxCharacters) return undefined
  const binary = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value)?.[1]
  try {
    return new X509Certificate(binary === undefined ? decodeURIComponent(value) : Buffer.from(binary, 'base64'))
  } catch {
    return undefined // what is no certificate proves nothing
  }
}

const isValid = ({ validFromDate, validToDate }: X509Certificate, now: Date) => validFromDate <= now && now <= validToDate

// A certificate that names purposes is for those alone (RFC 5280 §4.2.1.12).
const isForClients = ({ keyUsage }: X509Certificate) => keyUsage === undefined || (keyUsage as readonly string[]).includes(clientPurpose)

const isIssuedBy = (certificate: X509Certificate, authority: X509Certificate) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
