// The engine's storage: which kind lives where, what single use means for each, and ids that are stored only as hashes.
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Secrets } from '../platform/secrets.ts'
import { type Artifact, type ArtifactStore, toArtifact, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { backchannelAdapter } from './backchannel-adapter.ts'
import type { BackchannelRequests } from './backchannel-requests.ts'
import { deviceCodeAdapter } from './device-code-adapter.ts'
import { endsGrant } from './grants.ts'
import { invalidGrant, orPassing } from './problems.ts'
import { provenAtOf } from './proven-at.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import type { SessionArtifacts } from './session-artifacts.ts'

interface Needs {
  /** For what a person would miss. */
  readonly durable: PostgresArtifacts
  /** For what may be lost: Redis where there is one. */
  readonly volatile: ArtifactStore
  readonly sessions: SessionArtifacts
  readonly refreshTokens: RefreshTokens
  readonly clients: Adapter
  readonly backchannelRequests: Pick<BackchannelRequests, 'findAnswer'>
  readonly withoutStruck: (interaction: AdapterPayload) => Promise<AdapterPayload>
  readonly secrets: Secrets
}

const volatileKinds = new Set(['Interaction', 'AuthorizationCode', 'PushedAuthorizationRequest', 'ReplayDetection'])

/** Makes the factory the engine is configured with: an adapter for each model name. */
export const createAdapters =
  (needs: Needs) =>
  (kind: string): Adapter =>
    guarded({ ...plainAdapter(kind, needs), ...specialAdapter(kind, needs) })

const plainAdapter = (kind: string, { durable, volatile }: Needs): Adapter => {
  const store = volatileKinds.has(kind) ? volatile : durable
  return {
    upsert: (id, payload, expiresIn) => store.put(toArtifact(kind, { id, payload, expiresIn })),
    find: async id => toPayload(id, await store.find(kind, id)),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async id => {
      if (await store.consume(kind, id)) return
      throw kind === 'PushedAuthorizationRequest'
        ? new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
        : new errors.InvalidGrant('already used')
    },
    destroy: async id => {
      await store.destroy(kind, id)
    },
    revokeByGrantId: async grantId => {
      if (Provider.ctx && !endsGrant(Provider.ctx)) return
      // Artifacts elsewhere die with the grant's tombstone: every use of one reads the grant.
      if (store === durable) await durable.deleteByGrant(kind, grantId)
    },
  }
}

const specialAdapter = (kind: string, needs: Needs): Partial<Adapter> => {
  switch (kind) {
    case 'Client':
      return needs.clients
    case 'Session':
      return needs.sessions
    case 'RefreshToken':
      return needs.refreshTokens
    case 'Grant':
      return {
        upsert: (id, payload, expiresIn) => keepGrant(needs.durable, toArtifact('Grant', { id, payload, expiresIn })),
        destroy: id => needs.durable.revokeGrant(id),
      }
    case 'AuthorizationCode':
      return { consume: id => consumeOnce(needs, id) }
    case 'DeviceCode':
      return deviceCodeAdapter(needs)
    case 'BackchannelAuthenticationRequest':
      return backchannelAdapter(needs)
    case 'Interaction':
      return interactionAdapter(needs)
    default:
      return {}
  }
}

// A grant that is given in a session is not kept when the session has ended meanwhile: no code issued on it is worth anything.
const keepGrant = async (durable: PostgresArtifacts, artifact: Artifact) => {
  const session = Provider.ctx?.oidc?.entities.Session ?? Provider.ctx?.oidc?.session
  if (!session?.uid || session.accountId !== artifact.accountId) return durable.put(artifact)
  await durable.putGrant(artifact, { uid: session.uid, provenAt: provenAtOf(session.loginTs) })
}

// RFC 6749 §4.1.2: a code presented twice revokes what was issued on it. The winner may still be saving its tokens:
// the grant's tombstone reaches those too.
const consumeOnce = async ({ volatile, durable }: Needs, id: string) => {
  if (await volatile.consume('AuthorizationCode', id)) return
  const grantId = (await volatile.find('AuthorizationCode', id))?.payload.grantId
  if (typeof grantId === 'string') await durable.revokeFamily(grantId)
  throw invalidGrant('the authorization code was used before')
}

// An interaction holds whatever the client sent and the ids of other artifacts: it is sealed whole.
const interactionAdapter = ({ volatile, withoutStruck, secrets }: Needs): Partial<Adapter> => ({
  upsert: (id, payload, expiresIn) =>
    volatile.put({ kind: 'Interaction', id, payload: { sealed: secrets.seal('artifact', JSON.stringify(payload), 'Interaction') }, ttlSeconds: expiresIn }),
  find: async id => {
    const sealed = (await volatile.find('Interaction', id))?.payload.sealed
    const opened = typeof sealed === 'string' ? secrets.findUnsealed('artifact', sealed, 'Interaction') : undefined
    return opened === undefined ? undefined : withoutStruck(JSON.parse(opened))
  },
  destroy: async id => {
    const wasThere = await volatile.destroy('Interaction', id)
    // Two tabs may resume one interaction together: only the first goes on.
    if (!wasThere && Provider.ctx?.oidc?.route.endsWith('resume')) throw new errors.SessionNotFound('interaction was already resumed')
  },
})

// An unreachable database is told as `temporarily_unavailable`, so that no client takes it for a refusal.
const guarded = (adapter: Adapter): Adapter => {
  const guard =
    <Args extends unknown[], Result>(method: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await method(...args)
      } catch (error) {
        throw orPassing(error)
      }
    }
  return {
    upsert: guard((...args: Parameters<Adapter['upsert']>) => adapter.upsert(...args)),
    find: guard((id: string) => adapter.find(id)),
    findByUid: guard((uid: string) => adapter.findByUid(uid)),
    findByUserCode: guard((code: string) => adapter.findByUserCode(code)),
    consume: guard((id: string) => adapter.consume(id)),
    destroy: guard((id: string) => adapter.destroy(id)),
    revokeByGrantId: guard((grantId: string) => adapter.revokeByGrantId(grantId)),
  }
}
