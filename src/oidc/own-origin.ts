// Clients come back to us nowhere but where they registered just that.
import type { Client } from 'oidc-provider'
import { isOurs } from '../clients/redirect-rules.ts'
import type { ExtendEngine } from './provider.ts'

/** Keeps a client of the loopback, whose port may be any (RFC 8252 §7.3), from ours. */
export const keepFromOwnOrigin: ExtendEngine = provider => {
  const isAllowed = provider.Client.prototype.redirectUriAllowed
  const isAllowedElsewhere = function (this: Client, uri: string): boolean {
    return isAllowed.call(this, uri) && (!isOurs(uri, provider.issuer) || this.redirectUris?.includes(uri) === true)
  }
  Object.assign(provider.Client.prototype, { redirectUriAllowed: isAllowedElsewhere })
}
