// The factors a person has enrolled, of whatever kind: listed, and removed for good.
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { Database, TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { User } from '../users/user.ts'
import type { Authenticator } from './authenticator.ts'
import { toAuthenticator, toNoted, toTarget } from './authenticator-row.ts'

/** Takes back what a removed app proved in sessions and tokens that live on, in the change's own transaction. */
export type StrikeSecondFactor = (tx: TransactionClient, userId: string) => Promise<void>

/** The enrolled factors. */
export interface Authenticators {
  /** Confirmed ones, the oldest first. */
  list(userId: string): Promise<readonly Authenticator[]>
  /** Throws `not_found`. With the last one go the recovery codes. What it proved counts no more. */
  remove(actor: Actor, removal: { user: User; id: string }): Promise<void>
}

interface Needs {
  readonly database: Database
  readonly change: Change
  readonly notify: PostNotice
  readonly strikes: readonly StrikeSecondFactor[]
  readonly now: () => Date
}

/** Makes the service. */
export const createAuthenticators = ({ database, change, notify, strikes, now }: Needs): Authenticators => ({
  list: async userId => {
    const rows = await database.prisma.authenticator.findMany({ where: living(userId), orderBy: { id: 'asc' } })
    return rows.map(toAuthenticator)
  },
  remove: (actor, { user, id }) =>
    change(actor, async (tx, record) => {
      await tx.$queryRaw`SELECT id FROM users WHERE id = ${user.id}::uuid FOR NO KEY UPDATE`
      const [removed] = await tx.authenticator.updateManyAndReturn({ where: { ...living(user.id), id }, data: { deletedAt: now(), secret: '' } })
      if (!removed) throw new Problem('not_found')
      if ((await tx.authenticator.count({ where: living(user.id) })) === 0) await tx.recoveryCode.deleteMany({ where: { userId: user.id } })
      if (removed.kind === 'totp') for (const strike of strikes) await strike(tx, user.id)
      record('authenticator.removed', toTarget(removed))
      await notify(tx, { kind: 'factor_removed', userId: user.id, actor, values: toNoted(removed) })
    }),
})

const living = (userId: string) => ({ userId, confirmedAt: { not: null }, deletedAt: null })
