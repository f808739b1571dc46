// Client identifiers that are addresses of metadata documents, and which hosts may be clients that way.
import { isIP } from 'node:net'

/** Which hosts may be clients by a document. */
export interface DocumentRule {
  readonly isOn: boolean
  /** Names of hosts; `*.example.com` is every host below that name. Empty: all. */
  readonly allowedHosts: readonly string[]
  /** The same; these win. */
  readonly deniedHosts: readonly string[]
}

/** What comes before a document's address in its identifier. */
const scheme = 'https://'

/**
 * The address that a client identifier is, or `undefined`. Clients are compared by their identifiers as they stand, so an address has one
 * writing; it has a path and neither user information, query nor fragment (draft-ietf-oauth-client-id-metadata-document-02 §3): whoever
 * writes a query may choose what many servers answer.
 */
export const documentAddress = (clientId: string): URL | undefined => {
  if (!clientId.startsWith(scheme) || clientId.length > 255) return undefined
  const url = URL.parse(clientId)
  if (!url || url.href !== clientId || url.pathname === '/' || clientId.includes('?') || clientId.includes('#')) return undefined
  if (url.username !== '' || url.password !== '' || clientId.includes('@')) return undefined
  // A person is told the host's name; numbers and names of one word name nobody.
  const isName = url.hostname.includes('.') && !url.hostname.endsWith('.') && isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0
  return isName ? url : undefined
}

/** Whether the operator lets a host be a client by its document. */
export const isHostAllowed = ({ hostname }: URL, { isOn, allowedHosts, deniedHosts }: DocumentRule): boolean => {
  const isOneOf = (names: readonly string[]) => names.some(name => (name.startsWith('*.') ? hostname.endsWith(name.slice(1)) : hostname === name))
  return isOn && !isOneOf(deniedHosts) && (allowedHosts.length === 0 || isOneOf(allowedHosts))
}
