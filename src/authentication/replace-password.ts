// Puts one password in the place of another, in the transaction of a change, and ends what the user is signed in with.
import type { TransactionClient } from '../platform/data/database.ts'
import type { EndAccess } from '../users/user.ts'

/** Replaces a user's password by what was hashed already. Ends all access but the session that is excepted. */
export type ReplacePassword = (
  tx: TransactionClient,
  password: { readonly userId: string; readonly secret: string; readonly exceptSid?: string },
) => Promise<void>

/** Makes it. */
export const createReplacePassword =
  ({ endAccess, now }: { endAccess: EndAccess; now: () => Date }): ReplacePassword =>
  async (tx, { userId, secret, exceptSid }) => {
    await endAccess(tx, userId, { exceptSid })
    await tx.authenticationMethod.updateMany({ where: { userId, kind: 'password', deletedAt: null }, data: { deletedAt: now() } })
    await tx.authenticationMethod.create({ data: { userId, kind: 'password', secret } })
  }

/** Takes a user's passwords away. */
export const createErasePasswords =
  ({ now }: { now: () => Date }) =>
  async (tx: TransactionClient, userId: string): Promise<void> => {
    await tx.authenticationMethod.updateMany({ where: { userId, kind: 'password', deletedAt: null }, data: { deletedAt: now() } })
  }
