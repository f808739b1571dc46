// Fetches addresses that others may set (JWKS, sector identifiers, logout endpoints, pictures): resolves, checks every address,
// and connects only to the one it checked. No redirects, small answers, little time.
import { lookup as systemResolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, fetch as undiciFetch } from 'undici'

const totalMilliseconds = 5000
const maxResponseBytes = 64 * 1024
// Unicast by the registry, but leading elsewhere: IPv4 in IPv6, NAT64, 6to4, Teredo and other protocol assignments, what is thrown away (RFC 9780),
// and the address at which Azure tells each machine what it is.
const elsewhere = ['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/23', '100:0:0:1::/64', '168.63.129.16/32'].map(range =>
  ipaddr.parseCIDR(range),
)

/** Whether an address is one that everybody can reach: not private, loopback, link-local or special in any writing. */
export const isPublicAddress = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() !== 'unicast') return false
  return !elsewhere.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits))
}

/** Thrown before any connection when a host is, or resolves to, an address that is not public. */
export class ForbiddenAddress extends Error {
  constructor(host: string) {
    super(`${host} is not a public address`)
    this.name = 'ForbiddenAddress'
  }
}

/** Makes the fetches of the system: each with a bound of its own, in bytes, for what it is answered. */
export type MakeOutboundFetch = (bounds?: { readonly maxBytes?: number }) => typeof fetch

interface Needs {
  /** In development what runs beside us is fetched too, in the clear. */
  readonly isLoopbackAllowed: boolean
  /** Addresses inside that an operator allows, as CIDR blocks. */
  readonly allowed?: readonly string[]
  /** Instead of the system's resolver. */
  readonly resolve?: typeof systemResolve
}

/** Makes what makes them. None ever connects to an address outside the public internet, but for those that are allowed. */
export const createOutbound = ({ isLoopbackAllowed, allowed = [], resolve = systemResolve }: Needs): MakeOutboundFetch => {
  const blocks = allowed.map(block => ipaddr.parseCIDR(block))
  const isAllowed = (address: string) => {
    if (isPublicAddress(address)) return true
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return (isLoopbackAllowed && parsed.range() === 'loopback') || blocks.some(([block, bits]) => parsed.kind() === block.kind() && parsed.match([block, bits]))
  }
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(host, { all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error || !first) return callback(error ?? new ForbiddenAddress(host), '', 4)
      if (!addresses.every(({ address }) => isAllowed(address))) return callback(new ForbiddenAddress(host), '', 4)
      if (options.all) return callback(null, [first])
      return callback(null, first.address, first.family)
    })
  }
  return ({ maxBytes = maxResponseBytes } = {}) => {
    const dispatcher = new Agent({ connect: { lookup, timeout: 2000 }, headersTimeout: 3000, bodyTimeout: 3000, maxResponseSize: maxBytes })
    const guarded = async (input: string | URL | Request, init: RequestInit = {}) => {
      const url = new URL(input instanceof Request ? input.url : input)
      const host = url.hostname.replace(/^\[|\]$/g, '')
      if (url.protocol !== 'https:' && !(isLoopbackAllowed && url.protocol === 'http:')) throw new ForbiddenAddress(url.protocol)
      if (url.username || url.password) throw new ForbiddenAddress('an address with credentials')
      if (isIP(host) && !isAllowed(host)) throw new ForbiddenAddress(host)
      const deadline = AbortSignal.timeout(totalMilliseconds)
      const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
      const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined))
      headers.set('Accept-Encoding', 'identity')
      const answer = await undiciFetch(url, { ...(init as object), headers: [...headers], signal, redirect: 'manual', dispatcher })
      // The bound counts what travels: of what was packed a little could become a lot.
      if (!['', 'identity'].includes(answer.headers.get('Content-Encoding')?.trim().toLowerCase() ?? '')) {
        await answer.body?.cancel()
        throw new TypeError('an answer came packed though it was not asked to')
      }
      return answer
    }
    // undici's own Response and the global one are the same thing under two type names.
    return guarded as unknown as typeof fetch
  }
}
