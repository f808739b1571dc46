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

/** Ends what a user granted for an organization that they leave, and all that they granted to the clients that its members alone may use. */
export const endArtifactsOfMember = async (
  tx: TransactionClient,
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
): Promise<void> => {
  await tx.$executeRaw`
    UPDATE oidc_artifacts SET revoked_at = now(), payload = '{}'
    WHERE account_id = ${userId} AND kind = 'Grant' AND revoked_at IS NULL AND (organization_id = ${organizationId} OR client_id IN (
      SELECT c.client_id FROM clients c WHERE c.organization_id = ${organizationId}::uuid AND c.is_members_only
    ))`
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
  const granted = await tx.$queryRaw<{ grant_id: string }[]>`
    SELECT grant_id FROM oidc_artifacts WHERE kind = 'Grant' AND account_id = ${userId} AND grant_id IS NOT NULL`
  const grantIds = granted.map(({ grant_id }) => grant_id)
  await tx.$executeRaw`
    DELETE FROM oidc_artifacts WHERE kind IN ('RefreshToken', 'AccessToken') AND grant_id = ANY(${grantIds}::text[]) AND payload::text LIKE ${'%\\\\u0000%'}`
  // Apart, so that each is found by its index.
  await tx.$executeRawUnsafe(
    `UPDATE oidc_artifacts SET payload = ${rewritten} WHERE kind = 'Session' AND account_id = $1 AND revoked_at IS NULL AND payload::jsonb -> 'amr' ?& $2::text[]`,
    userId,
    struck,
    oneFactor,
  )
  await tx.$executeRawUnsafe(
    `UPDATE oidc_artifacts SET payload = ${rewritten} WHERE kind IN ('RefreshToken', 'AccessToken') AND grant_id = ANY($1::text[]) AND revoked_at IS NULL`,
    grantIds,
    struck,
    oneFactor,
  )
}

// $2: what is struck; $3: the class of one factor.
const rewritten = `(payload::jsonb
  || CASE WHEN payload::jsonb -> 'amr' ?& $2::text[] THEN jsonb_build_object('amr', CASE
       WHEN (payload::jsonb -> 'amr') <@ to_jsonb($2::text[]) THEN (payload::jsonb -> 'amr') - 'mfa'
       ELSE (payload::jsonb -> 'amr') - $2::text[] END) ELSE '{}' END
  || CASE WHEN payload::jsonb -> 'amr' ?& $2::text[] AND payload::jsonb ? 'acr' THEN jsonb_build_object('acr', $3::text) ELSE '{}' END
  || CASE WHEN payload::jsonb -> 'extra' ? 'acr' THEN jsonb_build_object('extra', (payload::jsonb -> 'extra') || jsonb_build_object('acr', $3::text)) ELSE '{}' END
)::json`
