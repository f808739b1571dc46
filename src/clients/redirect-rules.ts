// Where clients may have people sent back to.

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether an address is of the machine that the person sits at (RFC 8252 §7.3, and `localhost` as clients write it). */
export const isLoopback = (address: string): boolean => {
  const url = URL.parse(address)
  return url?.protocol === 'http:' && loopbackHosts.has(url.hostname)
}

/** Whether an address is https and of a host elsewhere. */
export const isHttps = (address: string): boolean => {
  const url = URL.parse(address)
  return url?.protocol === 'https:' && !loopbackHosts.has(url.hostname)
}

/**
 * The application type of a client that tells none (OpenID Connect Registration §2): `native` where a public client comes back to the
 * loopback alone, so that its port may be any (RFC 8252 §7.3).
 */
export const defaultApplicationType = (client: { readonly method: unknown; readonly redirectUris: unknown }): 'native' | 'web' => {
  const uris = Array.isArray(client.redirectUris) ? client.redirectUris : []
  return client.method === 'none' && uris.length > 0 && uris.every(uri => isLoopback(String(uri))) ? 'native' : 'web'
}

/** Whether an address is of the issuer itself: nothing there is a client's. */
export const isOurs = (address: string, issuer: string): boolean => URL.parse(address)?.origin === new URL(issuer).origin

// Browsers read these as addresses all the same, each in its own way (RFC 3986 §2, RFC 9110 §4.2).
const misspelt = /[\s\\\p{Cc}]|^https?:(?!\/\/[^/])/iu

const maxUriLength = 2048

/**
 * What is wrong with a redirect URI, beyond what a URL may be. They are compared as they stand (RFC 9700 §4.1.3), so a wildcard is
 * a mistake, and what stands before an @ only looks like a host (RFC 9110 §4.2.4).
 */
export const redirectUriFault = (uri: string): string | undefined => {
  if (uri.length > maxUriLength) return `must not have more than ${maxUriLength} characters`
  if (misspelt.test(uri)) return 'must be an absolute URI without spaces, lines or backslashes'
  if (uri.includes('*')) return 'must not contain a wildcard'
  const url = URL.parse(uri)
  if (!url) return 'must be an absolute URI'
  // RFC 6749 §3.1.2.
  if (uri.includes('#')) return 'must not contain a fragment'
  return url.username !== '' || url.password !== '' ? 'must not contain user information' : undefined
}

/** What is wrong with an address to come back to, of a client that somebody vouches for; `type`: as it tells it. */
export const registeredUriFault = (uri: unknown, type: unknown): string | undefined => {
  if (typeof uri !== 'string') return 'must be text'
  const fault = redirectUriFault(uri)
  if (fault !== undefined) return fault
  const scheme = URL.parse(uri)?.protocol ?? ''
  if (scheme === 'https:' || isLoopback(uri)) return undefined
  if (type !== 'native') return 'must be https, or http on the loopback; with application_type native it may have a private-use scheme'
  // RFC 8252 §7.1.
  return scheme === 'http:' ? 'must be https, http on the loopback, or have a private-use scheme' : undefined
}
