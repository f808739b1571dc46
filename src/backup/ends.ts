// What a restore ends: whatever was good once, or was taken back since the backup, must not be good again.
import type { Connection } from '../platform/data/tables.ts'

// Credentials of clients and marks that keep what was used from being used again; tombstones of grants are such marks too.
const alwaysKept = ['InitialAccessToken', 'RegistrationAccessToken', 'ReplayDetection']
const keptWithSessions = ['Session', 'Grant', 'AccessToken', 'RefreshToken', 'ClientCredentials']

const always = [
  'UPDATE invitations SET revoked_at = now() WHERE accepted_at IS NULL AND revoked_at IS NULL',
  // A time step that has passed counts as used.
  "UPDATE authenticators SET counter = greatest(counter, floor(extract(epoch FROM now()) / 30)::bigint) WHERE kind = 'totp'",
  // Whoever was at work on these answers is gone.
  'DELETE FROM idempotency_keys WHERE answer IS NULL',
]

const withSessions = ['UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL', 'UPDATE users SET access_ended_at = now()']

/** Ends it, all sign-ins among it unless they are kept. */
export async function endOld(client: Connection, { areSessionsKept }: { areSessionsKept: boolean }): Promise<void> {
  const kinds = areSessionsKept ? [...alwaysKept, ...keptWithSessions] : alwaysKept
  await client.query('DELETE FROM oidc_artifacts WHERE kind <> ALL($1::text[]) AND revoked_at IS NULL', [kinds])
  for (const text of areSessionsKept ? always : [...always, ...withSessions]) await client.query(text)
}
