// Artifacts that may be lost, in Redis: interactions, codes, pushed requests and replay ids.
import type { Redis } from '../platform/data/redis.ts'
import { hashOf } from '../platform/secrets.ts'
import { type Artifact, type ArtifactStore, clockToleranceSeconds } from './artifact.ts'

/** Makes the store. The braces keep an artifact and its mark on one node of a cluster. */
export const createRedisArtifacts = ({ client }: Redis): ArtifactStore => {
  const keyOf = (kind: string, id: string) => `artifact:{${hashOf(kind, id).toString('base64url')}}`
  const lifetime = (artifact: Artifact) => {
    if (artifact.ttlSeconds === undefined) throw new Error(`a ${artifact.kind} without expiry does not belong in Redis`)
    return Math.max(1, artifact.ttlSeconds + clockToleranceSeconds)
  }
  return {
    put: async artifact => {
      await client.set(keyOf(artifact.kind, artifact.id), JSON.stringify(artifact.payload), 'EX', lifetime(artifact))
    },
    insert: async artifact => (await client.set(keyOf(artifact.kind, artifact.id), JSON.stringify(artifact.payload), 'EX', lifetime(artifact), 'NX')) === 'OK',
    find: async (kind, id) => {
      const key = keyOf(kind, id)
      const [payload, mark] = await Promise.all([client.get(key), client.exists(`${key}:consumed`)])
      return payload === null ? undefined : { payload: JSON.parse(payload), isConsumed: mark === 1 }
    },
    consume: async (kind, id) => {
      const key = keyOf(kind, id)
      // The mark outlives any artifact that is consumed once: codes and pushed requests live for a minute.
      return (await client.set(`${key}:consumed`, '1', 'EX', 3600, 'NX')) === 'OK'
    },
    destroy: async (kind, id) => (await client.del(keyOf(kind, id))) === 1,
  }
}
