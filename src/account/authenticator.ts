// Adding an authenticator app: its key stays the same for whoever loads the page again, until a first code confirms it.
import type { Context } from 'koa'
import { z } from 'zod'
import { type AlsoChanged, amrOfCode, withSecondFactor } from '../mfa/authenticator.ts'
import type { Authenticators } from '../mfa/authenticators.ts'
import type { RecoveryCodes } from '../mfa/recovery-codes.ts'
import type { TotpEnrolment, Totps } from '../mfa/totp.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { createSealedCookie } from '../platform/http/sealed-cookie.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { Secrets } from '../platform/secrets.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { User } from '../users/user.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'
import { type CodesToShow, codesPath, securityPath } from './recovery-codes.ts'

/** What the page needs. */
export interface AuthenticatorNeeds {
  readonly authenticators: Authenticators
  readonly totps: Totps
  readonly recoveryCodes: RecoveryCodes
  readonly recentProofs: RecentProofs
  readonly secrets: Secrets
  readonly isSecure: boolean
  readonly now: () => Date
}

const path = '/account/authenticator'
const ttlSeconds = 600
const kept = z.object({ id: z.uuid(), until: z.number() })
const form = z.union([z.strictObject({ another: z.literal('yes') }), z.strictObject({ enrolment: z.uuid(), code: text(100).trim().min(1) })])

/** Makes the page. A seed is shown only in the browser that it was made for: nobody else may have seen it. */
export const createAuthenticatorPage = (needs: AuthenticatorNeeds & { readonly codesToShow: CodesToShow }) => {
  const { totps, recoveryCodes, codesToShow, now } = needs
  const cookie = createSealedCookie({ ...needs, name: 'enrolment', schema: kept, ttlSeconds })
  const placeOf = ({ id }: User) => ({ path, binding: id })
  const pending = async (ctx: Context, { user, actor }: { user: User; actor: Actor }): Promise<TotpEnrolment> => {
    const known = cookie.read(ctx, placeOf(user))
    const found = known && known.until > now().getTime() ? await totps.findEnrolment(user, known.id) : undefined
    if (found) return found
    const made = await totps.enrol(actor, { user })
    cookie.write(ctx, { id: made.id, until: now().getTime() + ttlSeconds * 1000 }, placeOf(user))
    return made
  }
  const confirm = confirming(needs)

  return accountPage({
    path,
    view: 'account-authenticator',
    isSensitive: true,
    show: async (ctx, visit) => {
      const { id, secret, uri, qr } = await pending(ctx, visit)
      return { enrolment: id, secret, uri, qr, account: visit.user.email }
    },
    submit: async (ctx, { user, actor }, given) => {
      const asked = parsed(form, given)
      if ('another' in asked) {
        cookie.clear(ctx, placeOf(user))
        seeOther(ctx, path)
        return { answered: true }
      }
      const { isFirst } = await confirm(actor, { user, id: asked.enrolment, code: asked.code })
      cookie.clear(ctx, placeOf(user))
      if (!isFirst) return { done: 'factor_added', at: codesPath }
      if ((await recoveryCodes.count(user.id)).left > 0) return { done: 'factor_added', at: securityPath }
      codesToShow.goShow(ctx, { userId: user.id, codes: await recoveryCodes.issue(actor, user.id) })
      return { answered: true }
    },
  })
}

/** Confirms it, which proves the session by it too, unless the same form did so before: of any number of them at once one is the first. */
const confirming =
  ({ totps, authenticators, recentProofs }: Pick<AuthenticatorNeeds, 'totps' | 'authenticators' | 'recentProofs'>) =>
  async (actor: Actor, { user, id, code }: { user: User; id: string; code: string }): Promise<{ isFirst: boolean }> => {
    try {
      const also: AlsoChanged = (tx, record) => recentProofs.renewIn(tx, record, { actor, amr: withSecondFactor([], amrOfCode) })
      await totps.confirm(actor, { user, id, code, also })
      return { isFirst: true }
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error
      if ((await authenticators.list(user.id)).some(factor => factor.id === id)) return { isFirst: false }
      const message = 'This code is of a key that is not shown any more.'
      throw new Problem('validation_failed', { cause: error, fields: [{ path: 'code', code: 'earlier_key', message }] })
    }
  }
