// Ends what the protocol keeps of a person: tombstones for sessions and grants, under which nothing lives or comes back.
import type { TransactionClient } from '../platform/data/database.ts'
import { oneFactor } from './acr.ts'

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

/**
 * Takes a removed factor back from what the protocol keeps of a user. Sessions and refresh tokens that were proven by it say from now on
 * what is left, and where nothing is, that it was one factor; opaque access tokens, which say only a class, the lowest. One that holds
 * U+0000 cannot be rewritten and ends.
 */
export const strikeFactorOfArtifacts = async (
  tx: TransactionClient,
  { userId, references }: { readonly userId: string; readonly references: readonly string[] },
): Promise<void> => {
  const struck = ['mfa', ...references]
  await tx.$executeRaw`
    DELETE FROM oidc_artifacts WHERE kind IN ('RefreshToken', 'AccessToken') AND payload::text LIKE ${'%\\\\u0000%'}
      AND grant_id IN (SELECT g.grant_id FROM oidc_artifacts g WHERE g.kind = 'Grant' AND g.account_id = ${userId})`
  await tx.$executeRaw`
    UPDATE oidc_artifacts SET payload = (payload::jsonb
      || CASE WHEN payload::jsonb -> 'amr' ?& ${struck}::text[] THEN jsonb_build_object('amr', CASE
           WHEN (payload::jsonb -> 'amr') <@ to_jsonb(${struck}::text[]) THEN (payload::jsonb -> 'amr') - 'mfa'
           ELSE (payload::jsonb -> 'amr') - ${struck}::text[] END) ELSE '{}' END
      || CASE WHEN payload::jsonb -> 'amr' ?& ${struck}::text[] AND payload::jsonb ? 'acr' THEN jsonb_build_object('acr', ${oneFactor}::text) ELSE '{}' END
      || CASE WHEN payload::jsonb -> 'extra' ? 'acr' THEN jsonb_build_object('extra', (payload::jsonb -> 'extra') || jsonb_build_object('acr', ${oneFactor}::text)) ELSE '{}' END
    )::json
    WHERE revoked_at IS NULL AND (
      (kind = 'Session' AND account_id = ${userId} AND payload::jsonb -> 'amr' ?& ${struck}::text[])
      OR (kind IN ('RefreshToken', 'AccessToken') AND grant_id IN (SELECT g.grant_id FROM oidc_artifacts g WHERE g.kind = 'Grant' AND g.account_id = ${userId}))
    )`
}
