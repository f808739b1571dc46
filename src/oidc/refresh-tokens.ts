// Refresh token rotation: one successor a token. Within a short grace a retry is answered with that same successor,
// so that a lost response or a second tab signs nobody out; after it a replay revokes the family (RFC 9700 §4.14).
import Provider, { type Adapter, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { validateDpop } from 'oidc-provider/lib/helpers/grants.js'
import type { Clients } from '../clients/clients.ts'
import { type Database, statement } from '../platform/data/database.ts'
import { hashOf, sealUnder, unsealUnder } from '../platform/secrets.ts'
import { type StoredArtifact, toArtifact, toPayload } from './artifact.ts'
import type { PostgresArtifacts } from './artifacts-postgres.ts'
import { createRotate } from './rotate.ts'

/** The adapter's special methods for refresh tokens, and what a response must carry after a retry. */
export interface RefreshTokens extends Pick<Adapter, 'find' | 'consume' | 'upsert'> {
  /** The successor that this request must be answered with instead of the engine's own. */
  successorFor(ctx: KoaContextWithOIDC): string | undefined
}

interface Needs {
  readonly database: Database
  readonly durable: PostgresArtifacts
  readonly clients: Clients
  readonly randomBytes: (size: number) => Buffer
}

interface Rotation {
  readonly predecessor: string
  successor?: string
}

const consumedState = statement(
  'refresh-token-consumed',
  'SELECT successor, payload, extract(epoch FROM now() - consumed_at)::float8 AS age FROM oidc_artifacts WHERE key = $1 AND consumed_at IS NOT NULL AND revoked_at IS NULL',
)

/** Makes the methods. */
export const createRefreshTokens = ({ database, durable, clients, randomBytes }: Needs): RefreshTokens => {
  const rotations = new WeakMap<object, Rotation>()
  const rotate = createRotate(database)

  const successorOf = async (id: string): Promise<string | undefined> => {
    const [row] = await database.run<{ successor: Buffer | null; payload: { clientId?: string }; age: number }>(consumedState, [hashOf('RefreshToken', id)])
    if (!row?.successor) return undefined
    const client = await clients.find(row.payload.clientId ?? '')
    // `consumed_at` is kept to the millisecond, rounded: the age may come out below nothing, which is no grace either.
    return client && Math.max(0, row.age) < client.refreshGraceSeconds ? unsealUnder(id, row.successor) : undefined
  }

  // Whoever retries proves the same key as the first time, or none again.
  const verifyKey = async (id: string, jkt: string | undefined) => {
    const successor = await durable.find('RefreshToken', id)
    if (successor?.payload.jkt !== jkt) throw new errors.InvalidGrant('failed jkt verification')
  }

  return {
    successorFor: ctx => rotations.get(ctx)?.successor,
    find: async id => {
      const stored = withoutNonce(await durable.find('RefreshToken', id))
      if (!stored?.isConsumed) return toPayload(id, stored)
      // Only a redemption may be a retry; introspection and revocation see the token as it is.
      const isRetry = Provider.ctx?.oidc?.route === 'token' && (await successorOf(id)) !== undefined
      return toPayload(id, { ...stored, isConsumed: !isRetry })
    },
    // The engine consumes, then saves the successor: both are done by `upsert`, in one statement.
    consume: async id => {
      if (Provider.ctx) rotations.set(Provider.ctx, { predecessor: id })
    },
    upsert: async (id, payload, expiresIn) => {
      const ctx = Provider.ctx
      const rotation = ctx && rotations.get(ctx)
      if (!rotation) return durable.put(toArtifact('RefreshToken', { id, payload, expiresIn }))
      const jkt = payload.jkt ?? (await provenByPublic(ctx))
      const artifact = toArtifact('RefreshToken', { id, payload: { ...payload, jkt }, expiresIn })
      const hasWon = await rotate({
        predecessor: hashOf('RefreshToken', rotation.predecessor),
        sealed: sealUnder(rotation.predecessor, id, randomBytes(12)),
        successor: hashOf('RefreshToken', id),
        payload: artifact.payload,
        grantId: artifact.grantId,
        ttlSeconds: expiresIn,
      })
      if (hasWon) return
      rotation.successor = await successorOf(rotation.predecessor)
      if (rotation.successor !== undefined) return verifyKey(rotation.successor, jkt)
      if (artifact.grantId) await durable.revokeFamily(artifact.grantId)
      throw new errors.InvalidGrant('refresh token already used')
    },
  }
}

// OpenID Connect Core §12.2: it is of the answer to the authorization request alone, and ID tokens of a refresh should not have it.
const withoutNonce = (stored: StoredArtifact | undefined): StoredArtifact | undefined =>
  stored && { ...stored, payload: { ...stored.payload, nonce: undefined } }

// RFC 9449 §5: what a public client is issued is bound to the key that it proved; the engine has verified the proof and hands on the binding of the token before.
const provenByPublic = async (ctx: KoaContextWithOIDC): Promise<string | undefined> => {
  if (ctx.oidc.client?.clientAuthMethod !== 'none') return undefined
  return (await validateDpop(ctx.oidc.provider, ctx))?.thumbprint
}
