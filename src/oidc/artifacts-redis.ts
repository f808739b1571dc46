// Artifacts that may be lost, in Redis: interactions, codes, pushed requests and replay ids.
import type { Redis } from '../platform/data/redis.ts'
import { keepDeadline, liftDeadline } from '../platform/deadline.ts'
import { hashOf } from '../platform/secrets.ts'
import { type Artifact, type ArtifactStore, clockToleranceSeconds } from './artifact.ts'

/** Makes the store. The braces keep an artifact and its mark on one node of a cluster. */
export const createRedisArtifacts = ({ client }: Redis, newId: () => string): ArtifactStore => {
  const keyOf = (kind: string, id: string) => `artifact:{${hashOf(kind, id).toString('base64url')}}`
  const lifetime = (artifact: Artifact) => {
    if (artifact.ttlSeconds === undefined) throw new Error(`a ${artifact.kind} without expiry does not belong in Redis`)
    return Math.max(1, artifact.ttlSeconds + clockToleranceSeconds)
  }
  return {
    put: async artifact => {
      await client.set(keyOf(artifact.kind, artifact.id), JSON.stringify(artifact.payload), 'EX', lifetime(artifact))
    },
    // What is written is this call's own: a command that was sent again because its answer was lost finds itself, and has won.
    insert: async artifact => {
      const own = JSON.stringify({ ...artifact.payload, insertedBy: newId() })
      const known = await client.set(keyOf(artifact.kind, artifact.id), own, 'EX', lifetime(artifact), 'NX', 'GET')
      return known === null || known === own
    },
    find: async (kind, id) => {
      const key = keyOf(kind, id)
      const [payload, mark] = await Promise.all([client.get(key), client.exists(`${key}:consumed`)])
      return payload === null ? undefined : { payload: JSON.parse(payload), isConsumed: mark === 1 }
    },
    consume: async (kind, id) => {
      // Used up is used up: whoever comes so far in time is answered.
      keepDeadline()
      liftDeadline()
      const key = keyOf(kind, id)
      // The mark outlives any artifact that is consumed once: codes and pushed requests live for a minute.
      const own = newId()
      const known = await client.set(`${key}:consumed`, own, 'EX', 3600, 'NX', 'GET')
      return known === null || known === own
    },
    destroy: async (kind, id) => (await client.del(keyOf(kind, id))) === 1,
  }
}
