// Where clients that nobody vouches for may have people sent back to.

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
