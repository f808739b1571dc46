// The clients of a request, each looked at once in it: whatever its parts ask, they are told the same. Between requests nothing is remembered here.
import Provider from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'

/** Adds it to the clients, for all who ask inside a request that the engine handles. */
export const oncePerRequest = (clients: Clients): Clients => {
  // In the state of the request: a WeakMap would cost each request more than all its lookups.
  const ofRequest = () => {
    const state: { clients?: Map<string, Promise<Registration | undefined>> } | undefined = Provider.ctx?.state
    if (state) state.clients ??= new Map()
    return state?.clients
  }
  const find = (clientId: string) => {
    const seen = ofRequest()
    const known = seen?.get(clientId)
    if (known) return known
    const finding = clients.find(clientId)
    // One that is not there may be met a moment later.
    if (seen) finding.then(found => found && seen.set(clientId, finding)).catch(() => undefined)
    return finding
  }
  // What the request itself changed is looked at again.
  const afresh = async (clientId: string, change: () => Promise<void>) => {
    await change()
    ofRequest()?.delete(clientId)
  }
  return {
    ...clients,
    find,
    register: (actor, metadata, options) => afresh(metadata.client_id, () => clients.register(actor, metadata, options)),
    remove: (actor, clientId) => afresh(clientId, () => clients.remove(actor, clientId)),
    verifySecret: async (clientId, secret) => clients.verifySecret(clientId, secret, await find(clientId)),
  }
}
