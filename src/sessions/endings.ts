// Ends the sessions of a person in the transaction of the change that ends them.
import type { TransactionClient } from '../platform/data/database.ts'

/** Ends all sessions of a user, of the pages and of the API, but for the one with this `sid`. */
export const endSessionsOfUser = async (tx: TransactionClient, userId: string, { exceptSid }: { readonly exceptSid?: string } = {}): Promise<void> => {
  await tx.$executeRaw`UPDATE sessions SET ended_at = now() WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND sid <> ${exceptSid ?? ''}`
}

/** Takes the one-time passwords back from what the sessions of a user say was proven: the app was removed. */
export const strikeFactorOfSessions = async (tx: TransactionClient, userId: string): Promise<void> => {
  await tx.$executeRaw`
    UPDATE sessions SET amr = array_remove(array_remove(amr, 'mfa'), 'otp') WHERE user_id = ${userId}::uuid AND ended_at IS NULL AND amr @> ARRAY['mfa', 'otp']`
}
