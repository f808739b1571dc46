// Tells people by mail that a way to sign in was added or removed, in the change that did it.
import bowser from 'bowser'
import type { Mails } from '../mails/mails.ts'
import type { Actor } from '../platform/actor.ts'
import type { TransactionClient } from '../platform/data/database.ts'
import type { User } from '../users/user.ts'

/** Posts the notices. */
export type PostFactorNotice = (
  tx: TransactionClient,
  notice: { readonly kind: 'factor_added' | 'factor_removed'; readonly actor: Actor; readonly user: User; readonly factor: string },
) => Promise<void>

/** Makes it. The button leads to the account centre of the issuer. */
export const createFactorNotices =
  ({ mails, issuer, now }: { mails: Mails; issuer: string; now: () => Date }): PostFactorNotice =>
  async (tx, { kind, actor, user, factor }) => {
    const time = `${now().toISOString().slice(0, 16).replace('T', ' ')} UTC`
    const values = { factor, time, device: deviceOf(actor.userAgent), ip: actor.ip ?? 'an unknown address' }
    await mails.post(tx, { kind, to: user.email, locale: user.locale, values, url: `${issuer}/account` })
  }

const deviceOf = (userAgent: string | undefined): string => {
  if (!userAgent) return 'an unknown device'
  const { browser, os } = bowser.parse(userAgent)
  return [browser.name, os.name].filter(Boolean).join(', ') || 'an unknown device'
}
