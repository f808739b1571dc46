// Tells people by mail what was done to their account, when and from where, in the change that did it.
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import { deviceOf } from '../platform/http/device.ts'
import type { MailRequest } from './mail.ts'
import type { Mails } from './mails.ts'

/** Where the button of each leads: to what its reader does if it was not them. */
const places = {
  password_changed: '/recovery',
  new_device: '/account/sessions',
  factor_added: '/account/security',
  factor_removed: '/account/security',
  recovery_codes_made: '/account/security',
  recovery_code_used: '/account/security',
  identity_linked: '/account/identities',
  identity_unlinked: '/account/identities',
  agent_made: '/account/agents',
  member_agent_made: '/account/organizations',
  member_added: '/account/organizations',
  email_change_approval: '/account/email',
  email_changed: '/account/email',
  email_replaced: '/account/email',
  account_deleted: '/account',
} as const satisfies Partial<Record<MailRequest['kind'], string>>

/** What was done to an account. */
export interface Notice {
  readonly kind: keyof typeof places
  readonly userId: string
  /** Who did it: the request they came with tells the device and the address, and the language of a user who chose none. */
  readonly actor: Pick<Actor, 'ip' | 'userAgent' | 'language'> & Partial<Pick<Actor, 'kind' | 'userId'>>
  readonly values?: MailRequest['values']
  /** Another address than the user's own of this moment. */
  readonly to?: string
  /** Another place than the notice's own, such as a link with a secret. */
  readonly url?: string
}

/** Posts a notice in the change's own transaction; none to a user who is not there. */
export type PostNotice = (tx: TransactionClient, notice: Notice) => Promise<void>

interface Needs {
  readonly mails: Mails
  /** Without a way to send mail nothing is kept for it: told much later, it would be told wrong. */
  readonly isPossible: boolean
  readonly issuer: string
  readonly now: () => Date
}

/** Makes it. */
export const createNotices =
  ({ mails, isPossible, issuer, now }: Needs): PostNotice =>
  async (tx, { kind, userId, actor, values, to, url }) => {
    if (!isPossible) return
    const user = await tx.user.findFirst({ where: { id: userId, deletedAt: null }, select: { email: true, locale: true } })
    if (!user) return
    await mails.post(tx, {
      kind,
      to: to ?? user.email,
      locale: user.locale ?? (isTheirs(actor, userId) ? actor.language : undefined),
      values: { ...values, time: now().toISOString(), ...deviceOf(actor.userAgent), ...(actor.ip ? { ip: actor.ip } : {}) },
      url: url ?? `${issuer}${places[kind]}`,
    })
  }

// Whoever came by a link of a mail is signed in as nobody. Neither an administrator nor a program speaks the user's language.
const isTheirs = ({ kind, userId }: Notice['actor'], id: string): boolean => userId === id || (kind === 'anonymous' && userId === undefined)
