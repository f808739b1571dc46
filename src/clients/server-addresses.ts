// Addresses of a client's own servers, which we ask, send to, or send people to so that they begin anew.

import type { ClientMetadata } from './client.ts'
import { isLoopback } from './redirect-rules.ts'

const names = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'backchannel_client_notification_endpoint', 'initiate_login_uri'] as const

/** What is wrong with an address. */
export interface AddressFault {
  readonly path: string
  readonly message: string
}

/** RFC 9700 §2.6: nothing goes to a client in the clear, except within the machine (RFC 8252 §7.3). What is no address is the engine's to say. */
export const clearFault = (address: unknown): string | undefined =>
  URL.parse(String(address))?.protocol === 'http:' && !isLoopback(String(address)) ? 'must be https, or http on the loopback' : undefined

/** The first fault of the addresses that metadata name (OpenID Connect Registration §2; Back-Channel Logout §2.2: no fragment). */
export const serverAddressFault = (metadata: ClientMetadata): AddressFault | undefined => {
  for (const path of names) {
    const address = metadata[path]
    if (address === undefined) continue
    const message = clearFault(address) ?? (String(address).includes('#') ? 'must not contain a fragment' : undefined)
    if (message !== undefined) return { path, message }
  }
  return undefined
}
