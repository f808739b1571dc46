// The factors a person has enrolled, of whatever kind: listed, and removed for good.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { createPurge } from '../platform/data/purge.ts'
import { Problem } from '../platform/errors.ts'
import type { MustAdminister } from '../users/admins.ts'
import type { User, UserId } from '../users/user.ts'
import { type Authenticator, amrOfCode, type FactorKind } from './authenticator.ts'
import { toAuthenticator, toNoted, toTarget } from './authenticator-row.ts'
import { referencesOfRow } from './passkey-row.ts'

/**
 * Takes back what a removed factor proved in sessions and tokens that live on, in the change's own transaction: what says all of its
 * references (RFC 8176) and `mfa` says them no more. Which of several of a kind it was is not known, so none of them counts.
 */
export type StrikeFactor = (tx: TransactionClient, factor: { readonly userId: string; readonly references: readonly string[] }) => Promise<void>

/** The enrolled factors. */
export interface Authenticators {
  /** Confirmed ones, the oldest first. */
  list(userId: string): Promise<readonly Authenticator[]>
  /** Throws `forbidden` where an administrator's is removed by who is none, and `not_found`, also where it is of another kind than the one that is meant. With the last one go the recovery codes. What it proved counts no more. */
  remove(actor: Actor, removal: { user: User; id: string; kind?: FactorKind }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly notify: PostNotice
  readonly strikes: readonly StrikeFactor[]
  readonly mustAdminister: MustAdminister
  /** A living user, whom nobody else changes until this change ends. */
  readonly lockUser: (tx: TransactionClient, id: UserId) => Promise<User>
  /** The user was changed: to be told after the commit. */
  readonly forgetUser: (id: string) => void
  readonly now: () => Date
}

/** Makes the service. */
export const createAuthenticators = ({ database, change, notify, strikes, mustAdminister, lockUser, forgetUser, now }: Needs): Authenticators => ({
  list: async userId => {
    const rows = await database.prisma.authenticator.findMany({ where: living(userId), orderBy: { id: 'asc' } })
    return rows.map(toAuthenticator)
  },
  remove: async (actor, { user, id, kind }) => {
    await change(actor, async (tx, record) => {
      const locked = await lockUser(tx, user.id)
      if (actor.userId !== user.id) mustAdminister(actor, locked)
      const [removed] = await tx.authenticator.updateManyAndReturn({ where: { ...living(user.id), id, kind }, data: { deletedAt: now(), secret: '' } })
      if (!removed) throw new Problem('not_found')
      if ((await tx.authenticator.count({ where: living(user.id) })) === 0) await tx.recoveryCode.deleteMany({ where: { userId: user.id } })
      const references = removed.kind === 'totp' ? amrOfCode : referencesOfRow(removed)
      for (const strike of strikes) await strike(tx, { userId: user.id, references })
      record('authenticator.removed', toTarget(removed))
      await notify(tx, { kind: 'factor_removed', userId: user.id, actor, values: toNoted(removed) })
    })
    forgetUser(user.id)
  },
})

/** Forgets what was removed a month ago, for nothing brings it back, and the seed of an enrolment that nobody confirmed in a day. */
export const purgeAuthenticators = createPurge({
  table: 'authenticators',
  due: "deleted_at < now() - interval '30 days' OR (confirmed_at IS NULL AND created_at < now() - interval '1 day')",
})

const living = (userId: string) => ({ userId, confirmedAt: { not: null }, deletedAt: null })
