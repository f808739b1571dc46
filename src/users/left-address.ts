// The address that a user had until an administrator gave them another: nothing that was mailed to it is good for the account any more, and its
// reader is told.
import type { Challenges } from '../challenges/challenges.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { User } from './user.ts'

/** Called in the change's own transaction, with the user as they were. */
export type LeaveAddress = (tx: TransactionClient, move: { readonly actor: Actor; readonly before: User; readonly to: string }) => Promise<void>

/** Makes it. An address that was never verified may be anybody's: it is told nothing. */
export const createLeaveAddress =
  ({ challenges, notify }: { readonly challenges: Challenges; readonly notify: PostNotice }): LeaveAddress =>
  async (tx, { actor, before: { id: userId, email, isEmailVerified }, to }) => {
    await challenges.voidAll(tx, { userId })
    if (isEmailVerified) await notify(tx, { kind: 'email_replaced', userId, actor, to: email, values: { old_email: email, new_email: to } })
  }
