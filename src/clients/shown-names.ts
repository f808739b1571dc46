// What people are told a client is called.
import { type ClientSource, isVouchedFor } from './client.ts'
import { documentAddress } from './document-address.ts'

/** A client's names: one that speaks for itself by a document is called by its host, which is certain; the name is only what it says. */
export interface ShownNames {
  readonly name: string
  readonly claimedName?: string
  readonly verified?: boolean
}

/** The names. */
export const shownNames = ({ clientId, name, source }: { clientId: string; name?: string | undefined; source: ClientSource }): ShownNames => {
  const verified = isVouchedFor(source) ? {} : { verified: false }
  const host = source === 'document' ? documentAddress(clientId)?.host : undefined
  if (host === undefined) return { name: name || clientId, ...verified }
  return { name: host, ...(name && name !== host ? { claimedName: name } : {}), ...verified }
}
