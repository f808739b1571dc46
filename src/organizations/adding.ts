// What goes with adding a person who was not asked: they are told, and nobody tries addresses one after another to learn who has an account.
// Who is to agree first is invited instead (invitations.ts).
import type { PostNotice } from '../mails/notices.ts'
import { type Actor, can } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { mailable } from '../platform/http/text.ts'
import type { Organization } from './organization.ts'

/** A member who was added. */
export interface Added {
  readonly organization: Pick<Organization, 'id' | 'name'>
  readonly userId: string
  readonly role: string
}

/** What {@link createAdding} makes. */
export interface Adding {
  /** Runs what looks a person up by their address; throws `too_many_attempts` when the caller named too many who are not there. */
  within<Result>(actor: Actor, email: string | undefined, look: () => Promise<Result>): Promise<Result>
  /** Posts the notice in the change that adds them; none to whoever added themselves, or was added by the server. */
  tell(tx: TransactionClient, actor: Actor, added: Added): Promise<void>
}

/** Makes it. */
export const createAdding = ({ limit, notify }: { limit: MakeLimit; notify: PostNotice }): Adding => {
  const unknown = limit('members:unknown-address', { points: 30, durationSeconds: 3600 })
  return {
    within: async (actor, email, look) => {
      // Whoever may read all users learns nothing here.
      if (email === undefined || actor.kind === 'system' || can(actor, 'users:read')) return look()
      const key = actor.userId ?? `${actor.kind}:${actor.id}`
      await unknown.consume(key)
      const found = await look()
      await unknown.reward(key)
      return found
    },
    tell: async (tx, actor, { organization, userId, role }) => {
      if (actor.kind === 'system' || actor.userId === userId) return
      await notify(tx, { kind: 'member_added', userId, actor, values: { organization: mailable(organization.name, organization.id), role } })
    },
  }
}
