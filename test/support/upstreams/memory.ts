// Where an upstream keeps its codes and sessions: a map.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** Makes a memory. */
export const createUpstreamMemory = (): AdapterFactory => {
  const kept = new Map<string, AdapterPayload>()
  return (model): Adapter => {
    const key = (id: string) => `${model} ${id}`
    return {
      upsert: async (id, payload) => void kept.set(key(id), payload),
      find: async id => kept.get(key(id)),
      findByUid: async uid => [...kept].find(([name, payload]) => name.startsWith(`${model} `) && payload.uid === uid)?.[1],
      findByUserCode: async () => undefined,
      consume: async id => {
        const payload = kept.get(key(id))
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async id => void kept.delete(key(id)),
      revokeByGrantId: async grantId => {
        for (const [name, payload] of kept) if (payload.grantId === grantId) kept.delete(name)
      },
    }
  }
}
