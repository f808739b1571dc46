// The agents of people, each looked at once in a request: between requests nothing is remembered of them.
import Provider from 'oidc-provider'
import type { Registration } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'

/** Adds it to the clients, for all who ask inside a request that the engine handles. */
export const oncePerRequest = (clients: Clients): Clients => {
  const known = new WeakMap<object, Map<string, Registration>>()
  const find = async (clientId: string) => {
    const { ctx } = Provider
    const seen = ctx && known.get(ctx)?.get(clientId)
    if (seen) return seen
    const found = await clients.find(clientId)
    if (ctx && found?.ownerUserId !== undefined) known.set(ctx, (known.get(ctx) ?? new Map()).set(clientId, found))
    return found
  }
  return { ...clients, find, verifySecret: async (clientId, secret) => clients.verifySecret(clientId, secret, await find(clientId)) }
}
