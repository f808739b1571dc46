// The ways to sign in besides the password, for their owner: listed, added and removed.
import type { Context } from 'koa'
import { z } from 'zod'
import { amrOfCode, withSecondFactor } from '../mfa/authenticator.ts'
import type { Authenticators } from '../mfa/authenticators.ts'
import type { RecoveryCodes } from '../mfa/recovery-codes.ts'
import type { TotpEnrolment, Totps } from '../mfa/totp.ts'
import type { Present } from '../pages/present.ts'
import type { FormTokens } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import { type AccountPageRoute, accountPage, formBinding, type Visit } from './page.ts'
import { parsed } from './pages.ts'

/** What the pages need. */
export interface SecurityNeeds {
  readonly authenticators: Authenticators
  readonly totps: Totps
  readonly recoveryCodes: RecoveryCodes
  readonly recentProofs: RecentProofs
  readonly present: Present
  readonly forms: FormTokens
}

const isSensitive = true
const home = '/account/security'
const form = z.union([z.strictObject({ remove: z.uuid() }), z.strictObject({ codes: z.literal('new') }), z.strictObject({ saved: z.literal('yes') })])

/** Makes them. */
export const createSecurityPages = (needs: SecurityNeeds): readonly AccountPageRoute[] => [security(needs), authenticator(needs)]

const security = ({ authenticators, recoveryCodes, present, forms }: SecurityNeeds) => {
  const showCodes = async (ctx: Context, { user, actor, sid }: Visit) => {
    const codes = await recoveryCodes.issue(actor, user.id)
    present(ctx, 'recovery-codes', { action: home, csrf: forms.issue(formBinding(sid)), codes })
  }
  return accountPage({
    path: home,
    view: 'account-security',
    isSensitive,
    show: async (_ctx, { user }) => {
      const factors = await authenticators.list(user.id)
      const { left } = await recoveryCodes.count(user.id)
      return {
        factors: factors.map(({ id, name, kind, createdAt }) => ({ id, name, kind, createdAt: createdAt.getTime() })),
        hasCodes: factors.length > 0,
        codesLeft: left,
      }
    },
    submit: async (ctx, visit, given) => {
      const asked = parsed(form, given)
      if ('codes' in asked) {
        await showCodes(ctx, visit)
        return { answered: true }
      }
      if ('saved' in asked) return { done: 'saved' }
      const { user, actor } = visit
      await authenticators.remove(actor, { user, id: asked.remove })
      return { done: 'factor_removed' }
    },
  })
}

// Each showing begins anew: a seed is never shown twice but to the one who mistyped the first code.
const authenticator = ({ totps, recoveryCodes, recentProofs, present, forms }: SecurityNeeds) => {
  const localsOf = ({ id, secret, uri, qr }: TotpEnrolment, account: string) => ({ enrolment: id, secret, uri, qr, account })
  return accountPage({
    path: '/account/authenticator',
    view: 'account-authenticator',
    isSensitive,
    show: async (ctx, { user, actor }) => {
      const mistyped = enrolmentOf(ctx)
      const known = mistyped === undefined ? undefined : await totps.findEnrolment(user, mistyped)
      return localsOf(known ?? (await totps.enrol(actor, { user })), user.email)
    },
    submit: async (ctx, { user, actor, sid }, given) => {
      const { enrolment, code } = parsed(z.strictObject({ enrolment: z.uuid(), code: text(100).trim().min(1) }), given)
      await totps.confirm(actor, { user, id: enrolment, code })
      await recentProofs.renew(actor, withSecondFactor([], amrOfCode))
      const { left } = await recoveryCodes.count(user.id)
      if (left > 0) {
        seeOther(ctx, `${home}?done=factor_added`)
        return { answered: true }
      }
      const codes = await recoveryCodes.issue(actor, user.id)
      present(ctx, 'recovery-codes', { action: home, csrf: forms.issue(formBinding(sid)), codes })
      return { answered: true }
    },
  })
}

const enrolmentOf = (ctx: Context): string | undefined => {
  const body = z.looseObject({ enrolment: z.uuid() }).safeParse(ctx.request.body)
  return body.success ? body.data.enrolment : undefined
}
