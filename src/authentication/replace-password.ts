// Puts one password in the place of another, in the transaction of a change: ends what the user is signed in with, and tells them.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { EndAccess } from '../users/user.ts'

/** A password that was hashed already. */
export interface NewPassword {
  readonly userId: string
  readonly secret: string
  /** The session that lives on. */
  readonly exceptSid?: string
  readonly actor: Actor
  /** The user is told also of a first password: it did not come with the account. */
  readonly isFirstTold?: boolean
}

/** Replaces a user's password, ends all access but the session that is excepted, and posts one notice where there was a password before. */
export type ReplacePassword = (tx: TransactionClient, password: NewPassword) => Promise<void>

/** Makes it. */
export const createReplacePassword =
  ({ endAccess, notify, now }: { endAccess: EndAccess; notify: PostNotice; now: () => Date }): ReplacePassword =>
  async (tx, { userId, secret, exceptSid, actor, isFirstTold = false }) => {
    await endAccess(tx, userId, { exceptSid })
    const { count } = await tx.authenticationMethod.updateMany({ where: { userId, kind: 'password', deletedAt: null }, data: { deletedAt: now() } })
    await tx.authenticationMethod.create({ data: { userId, kind: 'password', secret } })
    if (count > 0 || isFirstTold) await notify(tx, { kind: 'password_changed', userId, actor })
  }

/** Takes a user's passwords away. */
export const createErasePasswords =
  ({ now }: { now: () => Date }) =>
  async (tx: TransactionClient, userId: string): Promise<void> => {
    await tx.authenticationMethod.updateMany({ where: { userId, kind: 'password', deletedAt: null }, data: { deletedAt: now() } })
  }
