// Puts one password in the place of another, in the transaction of a change: ends what the user is signed in with, and tells them.
//
// Decided: whoever changes a password that they know, or sets one where they are signed in, keeps the agents that they made, which have
// credentials of their own and are listed beside; what they held for the person is to be allowed anew, as all other access. An account that is
// recovered, by a mailed link, an administrator or the undoing of a change of address (src/users/email-change.ts), may have had a thief in it, who
// could have made one: its own agents end, and only new keys and a new consent bring one back. Those of organizations are not the person's to make.
import type { AgentsOfOwners } from '../clients/agents-of-owners.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { RecordEvent } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { EndAccess } from '../users/user.ts'
import { keepPassword, voidPassword } from './password-row.ts'

/** A password that was hashed already. */
export interface NewPassword {
  readonly userId: string
  readonly secret: string
  /** The session that lives on. */
  readonly exceptSid?: string
  readonly actor: Actor
  /** The user is told also of a first password: it did not come with the account. */
  readonly isFirstTold?: boolean
  /** The account is recovered by it: the user's own agents end, too. */
  readonly isRecovery?: boolean
}

/** Replaces a user's password, ends all access but the session that is excepted, and posts one notice where there was a password before. */
export type ReplacePassword = (tx: TransactionClient, record: RecordEvent, password: NewPassword) => Promise<void>

interface Needs {
  readonly endAccess: EndAccess
  readonly agentsOfOwners: Pick<AgentsOfOwners, 'end'>
  readonly notify: PostNotice
  readonly now: () => Date
}

/** Makes it. */
export const createReplacePassword =
  ({ endAccess, agentsOfOwners, notify, now }: Needs): ReplacePassword =>
  async (tx, record, { userId, secret, exceptSid, actor, isFirstTold = false, isRecovery = false }) => {
    if (isRecovery) {
      // Before their agents' rows, as everybody locks them.
      await tx.$executeRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR UPDATE`
      await agentsOfOwners.end(tx, record, { userId, organizationId: null })
    }
    await endAccess(tx, userId, { exceptSid })
    const hadPassword = await voidPassword(tx, { userId, at: now() })
    await keepPassword(tx, { userId, secret })
    if (hadPassword || isFirstTold) await notify(tx, { kind: 'password_changed', userId, actor })
  }

/** Takes a user's passwords away. */
export const createErasePasswords =
  ({ now }: { now: () => Date }) =>
  async (tx: TransactionClient, userId: string): Promise<void> => {
    await voidPassword(tx, { userId, at: now() })
  }
