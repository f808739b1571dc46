// Fetches addresses that others may set (JWKS, sector identifiers, logout endpoints, pictures): resolves, checks every address,
// and connects only to the one it checked. No redirects, small answers, little time.
import { lookup as systemResolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Agent } from 'undici'

const totalMilliseconds = 5000
const headersMilliseconds = 3000
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

/** Makes the fetches of the system: each with bounds of its own for what it is answered, and within which time in all. */
export type MakeOutboundFetch = (bounds?: { readonly maxBytes?: number; readonly milliseconds?: number }) => typeof fetch

interface Needs {
  /** In development what runs beside us is fetched too, in the clear. */
  readonly isLoopbackAllowed: boolean
  /** Addresses inside that an operator allows, as CIDR blocks. */
  readonly allowed?: readonly string[]
  /** Instead of the system's resolver. */
  readonly resolve?: typeof systemResolve
}

/** Tells which addresses are connected to: public ones, and those inside that are allowed. */
export const createAddressRule = ({ isLoopbackAllowed, allowed = [] }: Omit<Needs, 'resolve'>): ((address: string) => boolean) => {
  const blocks = allowed.map(block => ipaddr.parseCIDR(block))
  return address => {
    if (isPublicAddress(address)) return true
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return (isLoopbackAllowed && parsed.range() === 'loopback') || blocks.some(([block, bits]) => parsed.kind() === block.kind() && parsed.match([block, bits]))
  }
}

/** The refusal of a host that is an address itself, and one that is never connected to; `undefined` for all others, which only a resolver knows. */
export const refusalOfHost = ({ hostname }: URL, isAllowed: (address: string) => boolean): ForbiddenAddress | undefined => {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) && !isAllowed(host) ? new ForbiddenAddress(host) : undefined
}

/** Makes what makes them. None ever connects to an address outside the public internet, but for those that are allowed. */
export const createOutbound = ({ isLoopbackAllowed, allowed = [], resolve = systemResolve }: Needs): MakeOutboundFetch => {
  const isAllowed = createAddressRule({ isLoopbackAllowed, allowed })
  const lookup: LookupFunction = (host, options, callback) => {
    resolve(host, { all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error || !first) return callback(error ?? new ForbiddenAddress(host), '', 4)
      if (!addresses.every(({ address }) => isAllowed(address))) return callback(new ForbiddenAddress(host), '', 4)
      if (options.all) return callback(null, [first])
      return callback(null, first.address, first.family)
    })
  }
  return ({ maxBytes = maxResponseBytes, milliseconds } = {}) => {
    const headersTimeout = milliseconds ?? headersMilliseconds
    const options: Agent.Options = { connect: { lookup, timeout: 2000 }, headersTimeout, bodyTimeout: 3000, maxResponseSize: maxBytes }
    let opening: ReturnType<typeof open> | undefined
    const guarded = async (input: string | URL | Request, init: RequestInit = {}) => {
      const url = new URL(input instanceof Request ? input.url : input)
      if (url.protocol !== 'https:' && !(isLoopbackAllowed && url.protocol === 'http:')) throw new ForbiddenAddress(url.protocol)
      if (url.username || url.password) throw new ForbiddenAddress('an address with credentials')
      const refusal = refusalOfHost(url, isAllowed)
      if (refusal) throw refusal
      opening ??= open(options)
      const { fetch: undiciFetch, dispatcher } = await opening
      const deadline = AbortSignal.timeout(milliseconds ?? totalMilliseconds)
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

// Read when something is fetched first: who fetches nothing holds 4 MB less.
const open = async (options: Agent.Options) => {
  const { Agent, fetch } = await import('undici')
  return { fetch, dispatcher: new Agent(options) }
}
