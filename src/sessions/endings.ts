// Ends the sessions of a person in the transaction of the change that ends them.
import { holdAuthority } from '../platform/context.ts'
import type { TransactionClient } from '../platform/data/database.ts'

/** Ends all sessions of a user, of the pages and of the API, but for the one with this `sid`. */
export const endSessionsOfUser = async (tx: TransactionClient, userId: string, { exceptSid }: { readonly exceptSid?: string } = {}): Promise<void> => {
  await tx.$executeRaw`UPDATE sessions SET ended_at = now() WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND sid <> ${exceptSid ?? ''}`
}

/** Accounts at other providers that sign nobody in any more. */
export interface GoneIdentities {
  /** Who they belonged to. */
  readonly userIds: readonly string[]
  readonly identityIds: readonly string[]
  /** The session that they were taken away in. */
  readonly exceptSid?: string | undefined
}

/** Ends the sessions that they began, in the transaction that takes them away. */
export type EndSessionsOfIdentities = (tx: TransactionClient, gone: GoneIdentities) => Promise<void>

/** Makes it; the protocol's own ending is the last, as everywhere. */
export const createEndSessionsOfIdentities =
  (endArtifacts: EndSessionsOfIdentities): EndSessionsOfIdentities =>
  async (tx, gone) => {
    if (gone.identityIds.length === 0) return
    // Whoever acts in one of them holds it until their change commits; it may be the one that this change is made in.
    await tx.$executeRaw`
      SELECT 1 FROM sessions
      WHERE user_id = ANY (${gone.userIds}::uuid[]) AND identity_id = ANY (${gone.identityIds}::uuid[]) AND ended_at IS NULL AND sid <> ${gone.exceptSid ?? ''}
      ORDER BY id FOR UPDATE`
    await holdAuthority(tx)
    await tx.$executeRaw`
      UPDATE sessions SET ended_at = now()
      WHERE user_id = ANY (${gone.userIds}::uuid[]) AND identity_id = ANY (${gone.identityIds}::uuid[]) AND ended_at IS NULL AND sid <> ${gone.exceptSid ?? ''}`
    await endArtifacts(tx, gone)
  }

/**
 * Takes a removed factor back from what the sessions of a user say was proven; where it was all that was proven, it counts as one
 * factor from now on.
 */
export const strikeFactorOfSessions = async (
  tx: TransactionClient,
  { userId, references }: { readonly userId: string; readonly references: readonly string[] },
): Promise<void> => {
  const struck = ['mfa', ...references]
  await tx.$executeRaw`
    UPDATE sessions SET amr = CASE WHEN amr <@ ${struck}::text[] THEN array_remove(amr, 'mfa')
      ELSE ARRAY(SELECT said FROM unnest(amr) WITH ORDINALITY AS one (said, place) WHERE said <> ALL (${struck}::text[]) ORDER BY place) END
    WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND amr @> ${struck}::text[]`
}
