// The clients of a request, each looked at once in a moment of it, while the engine's route runs: its parts ask one after the other, and each way to a
// client costs several turns of waiting. Between requests nothing is remembered here, and a request that had to wait for somebody looks again.
import Provider from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'

interface Looked {
  readonly found: Promise<Registration | undefined>
  /** As `performance.now()` told it. */
  readonly at: number
}

const momentMilliseconds = 100

/** Adds it to the clients, for all who ask inside a request that the engine handles. */
export const oncePerRequest = (clients: Clients): Clients => {
  // In the state of the request: a WeakMap would cost each request more than all its lookups.
  const ofRequest = () => {
    const state: { clients?: Map<string, Looked> } | undefined = Provider.ctx?.state
    if (state) state.clients ??= new Map()
    return state?.clients
  }
  const find = (clientId: string) => {
    const seen = ofRequest()
    const known = seen?.get(clientId)
    const at = performance.now()
    if (known && at - known.at < momentMilliseconds) return known.found
    const found = clients.find(clientId)
    // One that is not there may be met a moment later.
    if (seen) found.then(client => client && seen.set(clientId, { found, at })).catch(() => undefined)
    return found
  }
  return {
    ...clients,
    find,
    register: async (actor, metadata, options) => {
      await clients.register(actor, metadata, options)
      // What the request itself changed is looked at again.
      ofRequest()?.delete(metadata.client_id)
    },
    verifySecret: async (clientId, secret) => clients.verifySecret(clientId, secret, await find(clientId)),
  }
}
