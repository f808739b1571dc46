// Takes a removed factor back from what the protocol keeps of a person for long: sessions, refresh tokens and access tokens are rewritten.
//
// What is kept for minutes may be in Redis, or under way in a request that read its session before: codes, codes of devices, approved backchannel
// requests and interactions. They are not sought. The user's row says what was removed when (users/factor-strikes.ts), and whoever takes
// such a thing up has that row at hand: what is older is refused (account.ts, struck-results.ts, session-put.ts).
import type { TransactionClient } from '../platform/data/database.ts'
import { oneFactor } from './acr.ts'

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
  || CASE WHEN payload::jsonb -> 'extra' ? 'acr' THEN jsonb_build_object('extra', ((payload::jsonb -> 'extra') - 'amr') || jsonb_build_object('acr', $3::text)) ELSE '{}' END
)::json`
