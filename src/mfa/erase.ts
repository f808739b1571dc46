// Takes away whatever somebody enrolled in an account that was not theirs.
import type { TransactionClient } from '../platform/data/database.ts'

/** Takes all of a user's authenticators and recovery codes away, in the transaction of a change. */
export const createEraseFactors =
  ({ now }: { now: () => Date }) =>
  async (tx: TransactionClient, userId: string): Promise<void> => {
    await tx.authenticator.updateMany({ where: { userId, deletedAt: null }, data: { deletedAt: now(), secret: '' } })
    await tx.recoveryCode.deleteMany({ where: { userId } })
  }
