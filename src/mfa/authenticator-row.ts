// Turns the rows of authenticators into what their owners see, and into what events tell.
import type { Authenticator, FactorKind } from './authenticator.ts'

/** The columns that an owner may see. */
export interface AuthenticatorRow {
  id: string
  userId: string
  kind: string
  name: string
  confirmedAt: Date | null
  lastUsedAt: Date | null
  createdAt: Date
}

/** An authenticator without its secret. */
export const toAuthenticator = ({ id, userId, kind, name, confirmedAt, lastUsedAt, createdAt }: AuthenticatorRow): Authenticator => ({
  id,
  userId,
  kind: kindOf(kind),
  name,
  confirmedAt: confirmedAt ?? undefined,
  lastUsedAt: lastUsedAt ?? undefined,
  createdAt,
})

/** What an event tells of one. */
export const toTarget = ({ id, userId, kind, name }: Pick<AuthenticatorRow, 'id' | 'userId' | 'kind' | 'name'>) => ({ id, user_id: userId, kind, name })

// A check in the database allows these two and no other.
const kindOf = (kind: string): FactorKind => (kind === 'passkey' ? 'passkey' : 'totp')
