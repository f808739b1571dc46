// A user's password as it is kept: one living row, which is void once another takes its place.
import type { TransactionClient } from '../platform/data/database.ts'

const living = (userId: string) => ({ userId, kind: 'password', deletedAt: null })

/** Keeps the hash of a user's password; one that is there already is to be voided first. */
export const keepPassword = async (tx: TransactionClient, { userId, secret }: { readonly userId: string; readonly secret: string }): Promise<void> => {
  await tx.authenticationMethod.create({ data: { userId, kind: 'password', secret } })
}

/** Voids the password of a user; answers whether there was one. */
export const voidPassword = async (tx: TransactionClient, { userId, at }: { readonly userId: string; readonly at: Date }): Promise<boolean> =>
  (await tx.authenticationMethod.updateMany({ where: living(userId), data: { deletedAt: at } })).count > 0

/** Whether a user has a password. */
export const hasPassword = async (tx: Pick<TransactionClient, 'authenticationMethod'>, userId: string): Promise<boolean> =>
  (await tx.authenticationMethod.count({ where: living(userId) })) > 0
