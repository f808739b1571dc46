// Deleting one's own account: told by mail, whose link brings it back for as long as it is kept.
import type { Challenge } from '../challenges/challenge.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import { restorableDays } from '../platform/data/restorable.ts'
import { Problem } from '../platform/errors.ts'
import type { UserAdministration } from './administration.ts'
import { parseEmail } from './email.ts'
import type { EvictUnproven } from './evict-unproven.ts'
import type { User } from './user.ts'

/** Deletions by the person whose account it is. */
export interface AccountDeletion {
  /** Ends all access and mails the link. Throws `last_owner` and `last_admin`. `expect` is called with the version of what is about to be deleted. */
  remove(actor: Actor, user: User, options?: { readonly expect?: (version: Date) => void }): Promise<void>
  /** The address of the account that a link would bring back; `undefined` for a link that is none. */
  find(token: string): Promise<string | undefined>
  /** Brings the account back. Throws `link_expired`, and `email_taken` where another proved its address by now. */
  restore(actor: Actor, token: string): Promise<void>
}

interface Needs {
  readonly userAdministration: UserAdministration
  readonly change: Change
  readonly challenges: Challenges
  readonly notify: PostNotice
  readonly evictUnproven: EvictUnproven
  readonly forget: (userId: string) => void
  readonly issuer: string
}

/** Makes the service. */
export const createAccountDeletion = ({ userAdministration, change, challenges, notify, evictUnproven, forget, issuer }: Needs): AccountDeletion => ({
  remove: (actor, user, { expect } = {}) =>
    userAdministration.remove(actor, user.id, {
      expect,
      isOwn: true,
      within: async (tx, deletedAt) => {
        const { token } = await challenges.issue(tx, {
          purpose: 'account_restore',
          userId: user.id,
          email: parseEmail(user.email),
          ttlSeconds: restorableDays * 86_400,
          details: { email: user.email, deleted_at: deletedAt.toISOString() },
        })
        const url = `${issuer}/account/restore/${token}`
        await notify(tx, { kind: 'account_deleted', userId: user.id, actor, values: { days: restorableDays }, url })
      },
    }),
  find: async token => {
    const challenge = await challenges.find('account_restore', token)
    return challenge && detailsOf(challenge).email
  },
  restore: async (actor, token) => {
    const changed = await change(actor, async (tx, record) => {
      const challenge = await challenges.redeemLink(tx, { purpose: 'account_restore', token })
      if (!challenge?.userId) throw new Problem('link_expired')
      // Whoever has the link reads the mail of the address.
      const evicted = await evictUnproven(tx, record, { email: challenge.email, userId: challenge.userId })
      // This very deletion is undone: whom an administrator deleted since stays deleted.
      const where = { id: challenge.userId, deletedAt: detailsOf(challenge).deletedAt }
      const [row] = await tx.user.updateManyAndReturn({ where, data: { deletedAt: null } })
      if (!row) throw new Problem('link_expired')
      record('user.restored', row)
      return [row.id, evicted]
    })
    for (const id of changed) if (id !== undefined) forget(id)
  },
})

const detailsOf = ({ details, email }: Challenge) => ({
  email: typeof details.email === 'string' ? details.email : email,
  deletedAt: new Date(String(details.deleted_at)),
})
