// Keeps the baseline's artifacts in plain maps, without the bundled adapter's limit of 1000 entries in all.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

// A run leaves hundreds of thousands of tokens: of each model the newest are kept, so that the heap stays flat.
const limit = 50_000

/** An adapter factory over one store; expiry is left to the engine's own check. */
export function createMemoryAdapter(): AdapterFactory {
  const idsByGrant = new Map<string, Set<string>>()
  const sessionIdsByUid = new Map<string, string>()
  const idsByUserCode = new Map<string, string>()
  const models = new Map<string, Map<string, AdapterPayload>>()

  return (model): Adapter => {
    const artifacts = models.get(model) ?? new Map<string, AdapterPayload>()
    models.set(model, artifacts)
    const at = (id: string | undefined) => (id === undefined ? undefined : artifacts.get(id))
    return {
      upsert: async (id, payload) => {
        artifacts.set(id, payload)
        const oldest = artifacts.size > limit ? artifacts.keys().next().value : undefined
        if (oldest !== undefined) artifacts.delete(oldest)
        if (payload.uid) sessionIdsByUid.set(payload.uid, id)
        if (payload.userCode) idsByUserCode.set(payload.userCode, id)
        if (payload.grantId) {
          const grantKey = `${model}:${payload.grantId}`
          idsByGrant.set(grantKey, (idsByGrant.get(grantKey) ?? new Set()).add(id))
        }
      },
      find: async id => artifacts.get(id),
      findByUid: async uid => at(sessionIdsByUid.get(uid)),
      findByUserCode: async userCode => at(idsByUserCode.get(userCode)),
      consume: async id => {
        const payload = artifacts.get(id)
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async id => {
        artifacts.delete(id)
      },
      revokeByGrantId: async grantId => {
        const grantKey = `${model}:${grantId}`
        for (const id of idsByGrant.get(grantKey) ?? []) artifacts.delete(id)
        idsByGrant.delete(grantKey)
      },
    }
  }
}
