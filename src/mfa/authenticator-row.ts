// Turns the rows of authenticators into what their owners see, and into what events tell.
import type { Authenticator, FactorKind } from './authenticator.ts'

/** What an authenticator app is called until somebody gives it a name. */
export const unnamedApp = 'Authenticator app'

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

/** Whether nobody named it: people are told what it is, in their language. */
export const isUnnamed = ({ kind, name }: Pick<AuthenticatorRow, 'kind' | 'name'>): boolean => kind === 'totp' && name === unnamedApp

/** What a notice tells of one. */
export const toNoted = ({ kind, name }: Pick<AuthenticatorRow, 'kind' | 'name'>) => ({ method: isUnnamed({ kind, name }) ? 'unnamed' : kind, name })

// A check in the database allows these two and no other.
const kindOf = (kind: string): FactorKind => (kind === 'passkey' ? 'passkey' : 'totp')
