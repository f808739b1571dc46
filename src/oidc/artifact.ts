// What the engine keeps, and the contract of a store of it.
import type { AdapterPayload } from 'oidc-provider'
import type { Lineage } from './lineage.ts'

/** The payload of an artifact, as the engine made it. Members are added in any release, so it is kept whole. */
export type Payload = Record<string, unknown>

/** An artifact on its way into a store. */
export interface Artifact {
  /** The engine's model name. */
  readonly kind: string
  readonly id: string
  readonly payload: Payload
  /** Absent: does not expire. */
  readonly ttlSeconds?: number
  readonly grantId?: string
  readonly accountId?: string
  readonly clientId?: string
  readonly uid?: string
  readonly userCode?: string
  /** Of a grant: the organization that it is for. */
  readonly organizationId?: string
  /** Of a grant that a token exchange made. */
  readonly lineage?: Lineage
}

/** An artifact as it is found. */
export interface StoredArtifact {
  readonly payload: Payload
  readonly isConsumed: boolean
  /** Of a token or a code, from a store that has all of them: what was found with it. */
  readonly leadsTo?: LeadsTo
}

/** Where a token or a code leads: to its grant, and to the session of that. */
export interface LeadsTo {
  /** Absent: it is under none, or that ended. */
  readonly grant: StoredArtifact | undefined
  /** The session that the grant was given in, with every living row of it, oldest first; absent: it is not known which. */
  readonly session?: { readonly uid: string; readonly rows: readonly Payload[] } | undefined
}

/** What leads to a grant, and may to a session. */
export const leadingKinds = ['AccessToken', 'AuthorizationCode', 'RefreshToken'] as const

/**
 * A place for artifacts. Ids are bearer secrets: a store keeps only their hash. Expired artifacts are not found.
 * Every call throws what its database throws when that is unreachable.
 */
export interface ArtifactStore {
  /** Inserts or replaces. */
  put(artifact: Artifact): Promise<void>
  /** Inserts; answers false when it is there already. */
  insert(artifact: Artifact): Promise<boolean>
  find(kind: string, id: string): Promise<StoredArtifact | undefined>
  /** Marks as consumed; of any number of callers, in any processes, exactly one is answered true. */
  consume(kind: string, id: string): Promise<boolean>
  /** Answers whether it was there. */
  destroy(kind: string, id: string): Promise<boolean>
}

/** How long an expired artifact may still be found, for clocks that differ (the engine checks the expiry again). */
export const clockToleranceSeconds = 15

/**
 * How long a code that is asked after again and again is kept beyond its expiry, so that whoever asks late is told `expired_token`
 * (RFC 8628 §3.5, CIBA Core §11) and not that there was never one.
 */
export const lateSeconds = (expiresIn: number | undefined): number | undefined => (expiresIn === undefined ? undefined : expiresIn + 600)

/** What a store keeps of an artifact: never its id. */
export const toArtifact = (kind: string, { id, payload, expiresIn }: { id: string; payload: AdapterPayload; expiresIn?: number }): Artifact => {
  const { jti: _id, ...rest } = payload
  return {
    kind,
    id,
    payload: rest,
    ttlSeconds: expiresIn,
    grantId: payload.grantId,
    userCode: payload.userCode,
    // A grant is found by user and client; its id is no bearer secret and stands in every token under it.
    ...(kind === 'Grant'
      ? {
          grantId: id,
          accountId: payload.accountId,
          clientId: payload.clientId,
          uid: payload.sessionUid,
          organizationId: organizationOf(payload),
          lineage: lineageOf(payload),
        }
      : {}),
  }
}

const organizationOf = ({ organizationId }: Payload) => (typeof organizationId === 'string' ? organizationId : undefined)

const lineageOf = ({ exchange }: AdapterPayload & { exchange?: { lineage: Lineage } }) => exchange?.lineage

/** What the engine gets back. */
export const toPayload = (id: string, stored: StoredArtifact | undefined): AdapterPayload | undefined => {
  if (!stored) return undefined
  const { sealedId: _sealedId, ...payload } = stored.payload
  return { ...payload, jti: id, ...(stored.isConsumed ? { consumed: true } : {}) }
}
