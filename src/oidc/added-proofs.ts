// Notes on a session of the hosted pages what was proven in it beside an authorization request: in the account centre, or over the API.
import type { TransactionClient } from '../platform/data/database.ts'

/** Adds to how a session says that it was proven, in the transaction of the change that proves it. */
export const addProofToArtifacts = async (tx: TransactionClient, { sid, amr }: { sid: string; amr: readonly string[] }): Promise<void> => {
  await tx.$executeRaw`
    UPDATE oidc_artifacts SET payload = jsonb_set(payload::jsonb, '{amr}', ${JSON.stringify(amr)}::jsonb)::json
    WHERE uid = ${sid} AND kind = 'Session' AND revoked_at IS NULL AND account_id IS NOT NULL`
}
