// Ends what the protocol keeps of a person: tombstones for sessions and grants, under which nothing lives or comes back.
import type { TransactionClient } from '../platform/data/database.ts'

/** Ends the sessions and grants of a user, but for one session and what was granted in it. Access and refresh tokens die with their grant. */
export const endArtifactsOfUser = async (tx: TransactionClient, userId: string, { exceptSid }: { readonly exceptSid?: string } = {}): Promise<void> => {
  const kept = exceptSid ?? ''
  await tx.$executeRaw`
    UPDATE oidc_artifacts SET revoked_at = now(), payload = '{}'
    WHERE account_id = ${userId} AND kind IN ('Session', 'Grant') AND revoked_at IS NULL
      AND uid IS DISTINCT FROM ${kept}
      AND (grant_id IS NULL OR grant_id NOT IN (
        SELECT entry.value ->> 'grantId' FROM oidc_artifacts s, jsonb_each(coalesce(s.payload::jsonb -> 'authorizations', '{}')) entry
        WHERE s.uid = ${kept} AND s.kind = 'Session' AND s.revoked_at IS NULL AND entry.value ->> 'grantId' IS NOT NULL
      ))`
}

/** Ends one session of the hosted pages. What was granted for offline access lives on. */
export const endArtifactsOfSession = async (tx: TransactionClient, sid: string): Promise<void> => {
  await tx.$executeRaw`UPDATE oidc_artifacts SET revoked_at = now(), payload = '{}' WHERE uid = ${sid} AND kind = 'Session' AND revoked_at IS NULL`
}
