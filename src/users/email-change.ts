// Changing one's address: confirmed by a link to the new one and, where the present one is verified, by a link to that too; told to the
// old one, which can undo it for three days. Whoever undoes it says that a thief was in the account: the agents that were made in it end with its
// sign-ins (src/authentication/replace-password.ts).
import type { Purpose } from '../challenges/challenge.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { AgentsOfOwners } from '../clients/agents-of-owners.ts'
import type { Mails } from '../mails/mails.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { normalizeEmail, parseEmail } from './email.ts'
import { addressOf, createGive, createRedeem } from './email-links.ts'
import { type EvictUnproven, isYielding } from './evict-unproven.ts'
import type { EndAccess, User, UserId } from './user.ts'

/** Changes of address. */
export interface EmailChanges {
  /**
   * Sends the links, and voids those of earlier requests. Answers alike whether the new address is free, and says whether the present one
   * is to confirm too. Throws `mail_not_possible`, `validation_failed` and `too_many_attempts`.
   */
  request(actor: Actor, change: { readonly user: User; readonly email: string }): Promise<{ readonly isFromBoth: boolean }>
  /** Whose a link is, and the address it would bring; `undefined` for a link that is none. */
  find(kind: EmailLink, token: string): Promise<{ readonly email: string; readonly userId?: string } | undefined>
  /**
   * Confirms at the new address, or at the present one; the second of both makes the change. At the new one only the user does: who reads
   * mail there must not be made the owner of a stranger's account by one click. Throws `link_expired` and `email_taken`.
   */
  confirm(actor: Actor, link: { readonly end: End; readonly token: string }): Promise<Confirmed>
  /** Brings the old address back and ends all that the user is signed in with, and what the agents hold that they made. Throws `link_expired` and `email_taken`. */
  undo(actor: Actor, token: string): Promise<void>
}

/** What a link of ours is for. */
export type EmailLink = End | 'undo'

/** What a confirmation came to: the change, or which end is still to confirm it. */
export type Confirmed = 'changed' | 'waits_for_new' | 'waits_for_old'

type End = 'new' | 'old'

interface Needs {
  readonly change: Change
  readonly challenges: Challenges
  readonly mails: Mails
  readonly notify: PostNotice
  readonly limit: MakeLimit
  readonly endAccess: EndAccess
  readonly agentsOfOwners: Pick<AgentsOfOwners, 'end'>
  readonly evictUnproven: EvictUnproven
  readonly forget: (userId: string) => void
  readonly isMailPossible: boolean
  readonly issuer: string
  readonly now: () => Date
}

const changeMinutes = 60
const undoHours = 72
const purposes = { new: 'email_change', old: 'email_change_approval', undo: 'email_undo' } as const satisfies Record<EmailLink, Purpose>
const requested = [purposes.new, purposes.old]
const otherEnd = { new: 'old', old: 'new' } as const
const voided: readonly Purpose[] = ['password_reset', 'email_verification', 'sign_in', ...requested]

/** Makes the service. Five requests an hour and user. */
export const createEmailChanges = (needs: Needs): EmailChanges => {
  const { change, challenges, notify, limit, endAccess, agentsOfOwners, issuer } = needs
  const byUser = limit('email-change:user', { points: 5, durationSeconds: 3600 })
  const redeem = createRedeem(needs)
  const give = createGive(needs)
  const send = createSend(needs)

  /** Mails the old address that it is not the user's any more, and the link that undoes it. */
  const tellOld = async (tx: TransactionClient, { actor, userId, from, to }: { actor: Actor; userId: UserId; from: string; to: string }) => {
    const details = { email: from }
    const undo = await challenges.issue(tx, { purpose: purposes.undo, userId, email: parseEmail(from), ttlSeconds: undoHours * 3600, details })
    const values = { old_email: from, new_email: to, hours: String(undoHours) }
    await notify(tx, { kind: 'email_changed', userId, actor, to: from, values, url: `${issuer}/account/email/undo/${undo.token}` })
  }

  return {
    request: async (actor, { user, email }) => {
      if (!needs.isMailPossible) throw new Problem('mail_not_possible')
      const normalized = parseEmail(email)
      if (normalized === normalizeEmail(user.email))
        throw new Problem('validation_failed', { fields: [{ path: 'email', code: 'your_address', message: 'is your address already' }] })
      await byUser.consume(user.id)
      return change(actor, async (tx, record) => {
        const sent = await send(tx, { actor, user, to: { email: email.trim(), normalized } })
        record('user.email_change_requested', { id: user.id })
        return sent
      })
    },
    find: async (kind, token) => {
      const challenge = await challenges.find(purposes[kind], token)
      return challenge && { email: addressOf(challenge), userId: challenge.userId }
    },
    confirm: (actor, { end, token }) =>
      redeem(actor, { purpose: purposes[end], token }, async (tx, record, { challenge, before }) => {
        const { from, waits_for: waitsFor } = challenge.details
        // The address was changed by other means since: this is not what was asked for.
        if (from !== before.email_normalized) throw new Problem('link_expired')
        if (end === 'new' && actor.kind !== 'system' && actor.userId !== before.id) throw new Problem('link_expired')
        const id = before.id
        if (waitsFor !== undefined) {
          const other = { userId: id, purpose: purposes[otherEnd[end]], details: { email: addressOf(challenge), from: before.email_normalized } }
          if (!(await challenges.amend(tx, other))) throw new Problem('link_expired')
          record('user.email_change_confirmed', { id, end })
          return { result: `waits_for_${otherEnd[end]}` as const }
        }
        const { evicted, email } = await give(tx, record, { userId: id, challenge })
        await challenges.voidAll(tx, { userId: id, purposes: voided })
        // An address that was never proven may be anybody's: nothing comes back to it.
        if (before.is_verified) await tellOld(tx, { actor, userId: id, from: before.email, to: email })
        record('user.email_changed', { id, email })
        return { result: 'changed' as const, evicted }
      }),
    undo: (actor, token) =>
      redeem(actor, { purpose: purposes.undo, token }, async (tx, record, { challenge, before: { id } }) => {
        const { evicted, email } = await give(tx, record, { userId: id, challenge })
        await agentsOfOwners.end(tx, record, { userId: id, organizationId: null })
        await endAccess(tx, id)
        await challenges.voidAll(tx, { userId: id, purposes: [...voided, purposes.undo] })
        record('user.email_change_undone', { id, email })
        return { result: undefined, evicted }
      }),
  }
}

interface Sending {
  readonly actor: Actor
  readonly user: User
  readonly to: { readonly email: string; readonly normalized: string }
}

/** Issues and mails the links of a request, and says whether the present address is asked too. */
const createSend =
  ({ challenges, mails, notify, issuer }: Needs) =>
  async (tx: TransactionClient, { actor, user: { id: userId, locale }, to }: Sending) => {
    const [before] = await tx.$queryRaw<{ email: string; email_normalized: string; is_verified: boolean }[]>`
      SELECT email, email_normalized, email_verified_at IS NOT NULL AS is_verified FROM users
      WHERE id = ${userId}::uuid AND deleted_at IS NULL AND suspended_at IS NULL FOR NO KEY UPDATE`
    if (!before) throw new Problem('not_found')
    await challenges.voidAll(tx, { userId, purposes: requested })
    const issue = async (end: End, email: string, waits: object) => {
      const details = { email: to.email, from: before.email_normalized, ...waits }
      const { token } = await challenges.issue(tx, { purpose: purposes[end], userId, email, ttlSeconds: changeMinutes * 60, details })
      return `${issuer}/account/email/${end === 'new' ? 'confirm' : 'approve'}/${token}`
    }
    const minutes = String(changeMinutes)
    const confirmUrl = await issue('new', to.normalized, before.is_verified ? { waits_for: 'old' } : {})
    // Who proved to have the address already is not told of it, and nobody else is either.
    const held = await tx.user.count({ where: { emailNormalized: to.normalized, deletedAt: null, NOT: isYielding } })
    if (held === 0) await mails.post(tx, { kind: 'email_change', to: to.email, locale: locale ?? actor.language, values: { minutes }, url: confirmUrl })
    if (before.is_verified) {
      const values = { old_email: before.email, new_email: to.email, minutes }
      const url = await issue('old', before.email_normalized, { waits_for: 'new' })
      await notify(tx, { kind: 'email_change_approval', userId, actor, values, url })
    }
    return { isFromBoth: before.is_verified }
  }
