// Changing one's address: proven by a link to the new one, told to the old one, which can undo it for three days.
import type { Challenge } from '../challenges/challenge.ts'
import type { Challenges } from '../challenges/challenges.ts'
import type { Mails } from '../mails/mails.ts'
import type { PostNotice } from '../mails/notices.ts'
import type { Actor } from '../platform/actor.ts'
import type { Change } from '../platform/data/change.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { Problem } from '../platform/errors.ts'
import type { MakeLimit } from '../platform/http/limit.ts'
import { normalizeEmail } from './email.ts'
import { type EndAccess, type User, userIdSchema } from './user.ts'
import { parseEmail } from './user-row.ts'

/** Changes of address. */
export interface EmailChanges {
  /** Sends the link to the new address. Answers alike whether the address is free. Throws `validation_failed` and `too_many_attempts`. */
  request(actor: Actor, change: { readonly user: User; readonly email: string }): Promise<void>
  /** The new address that a link would bring, or the old one that an undoing would; `undefined` for a link that is none. */
  find(kind: 'change' | 'undo', token: string): Promise<string | undefined>
  /** Makes the change. Throws `link_expired`, and `email_taken` where somebody was quicker. */
  confirm(actor: Actor, token: string): Promise<void>
  /** Brings the old address back and ends all that the user is signed in with. Throws `link_expired` and `email_taken`. */
  undo(actor: Actor, token: string): Promise<void>
}

interface Needs {
  readonly change: Change
  readonly challenges: Challenges
  readonly mails: Mails
  readonly notify: PostNotice
  readonly limit: MakeLimit
  readonly endAccess: EndAccess
  readonly forget: (userId: string) => void
  readonly issuer: string
  readonly now: () => Date
}

const changeMinutes = 60
const undoHours = 72

/** Makes the service. Five requests an hour and user. */
export const createEmailChanges = ({ change, challenges, mails, notify, limit, endAccess, forget, issuer, now }: Needs): EmailChanges => {
  const byUser = limit('email-change:user', { points: 5, durationSeconds: 3600 })

  /** Redeems a link in a change and gives its user the address that it stands for. */
  const move = async (tx: TransactionClient, { purpose, token }: { purpose: 'email_change' | 'email_undo'; token: string }) => {
    const challenge = await challenges.redeemLink(tx, { purpose, token })
    const userId = challenge?.userId
    if (!challenge || userId === undefined) throw new Problem('link_expired')
    const [before] = await tx.$queryRaw<{ email: string }[]>`
      SELECT email FROM users WHERE id = ${userId}::uuid AND deleted_at IS NULL AND suspended_at IS NULL FOR NO KEY UPDATE`
    if (!before) throw new Problem('link_expired')
    const email = addressOf(challenge)
    await tx.user.update({ where: { id: userId }, data: { email, emailNormalized: parseEmail(email), emailVerifiedAt: now() } })
    return { userId: userIdSchema.parse(userId), before, email }
  }

  return {
    request: async (actor, { user, email }) => {
      const normalized = parseEmail(email)
      if (normalized === normalizeEmail(user.email))
        throw new Problem('validation_failed', { fields: [{ path: 'email', code: 'your_address', message: 'is your address already' }] })
      await byUser.consume(user.id)
      await change(actor, async (tx, record) => {
        const details = { email: email.trim() }
        const { token } = await challenges.issue(tx, { purpose: 'email_change', userId: user.id, email: normalized, ttlSeconds: changeMinutes * 60, details })
        // Who has the address already is not told of it, and nobody else is either.
        const isTaken = (await tx.user.count({ where: { emailNormalized: normalized, deletedAt: null } })) > 0
        const url = `${issuer}/account/email/confirm/${token}`
        if (!isTaken) await mails.post(tx, { kind: 'email_change', to: details.email, locale: user.locale, values: { minutes: String(changeMinutes) }, url })
        record('user.email_change_requested', { id: user.id })
      })
    },
    find: async (kind, token) => {
      const challenge = await challenges.find(kind === 'change' ? 'email_change' : 'email_undo', token)
      return challenge && addressOf(challenge)
    },
    confirm: async (actor, token) => {
      const { userId } = await change(actor, async (tx, record) => {
        const moved = await move(tx, { purpose: 'email_change', token })
        const { userId, before, email } = moved
        await challenges.voidAll(tx, { userId, purposes: ['password_reset', 'email_verification', 'sign_in', 'email_change'] })
        const ttlSeconds = undoHours * 3600
        const undo = await challenges.issue(tx, {
          purpose: 'email_undo',
          userId,
          email: parseEmail(before.email),
          ttlSeconds,
          details: { email: before.email },
        })
        await notify(tx, {
          kind: 'email_changed',
          userId,
          actor,
          to: before.email,
          values: { old_email: before.email, new_email: email, hours: String(undoHours) },
          url: `${issuer}/account/email/undo/${undo.token}`,
        })
        record('user.email_changed', { id: userId, email })
        return moved
      })
      forget(userId)
    },
    undo: async (actor, token) => {
      const { userId } = await change(actor, async (tx, record) => {
        const moved = await move(tx, { purpose: 'email_undo', token })
        await endAccess(tx, moved.userId)
        await challenges.voidAll(tx, { userId: moved.userId, purposes: ['password_reset', 'email_verification', 'sign_in', 'email_change', 'email_undo'] })
        record('user.email_change_undone', { id: moved.userId, email: moved.email })
        return moved
      })
      forget(userId)
    },
  }
}

const addressOf = ({ details, email }: Challenge): string => (typeof details.email === 'string' ? details.email : email)
