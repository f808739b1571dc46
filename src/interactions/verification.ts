// Proving the address of an account that exists: the mailed link leads here, and the page asks for the account's password, so that nobody
// proves an account for a stranger who made it in their name (pre-hijacking, see authentication/accept-proof.ts).
import Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { createErrands, type Errand } from './errand.ts'
import { isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import { tell } from './tell.ts'

const form = z.strictObject({ csrf: text(200), username: text(320).optional(), password: text(1024).optional() })

/** Makes the router. */
export const createVerificationRouter = (needs: PageNeeds & { readonly newId: () => string }): Router => {
  const { emailVerification, signIn, devices, present, forms, issuer } = needs
  const errands = createErrands('verification', needs)
  const router = new Router()
  const show = (ctx: Context, errand: Errand, { username, hasPassword, problem }: { username: string; hasPassword: boolean; problem?: Problem }) =>
    present(ctx, 'verify-email', {
      action: '/verify-email',
      csrf: forms.issue(errands.bindingOf(errand)),
      username,
      hasPassword,
      recoveryUrl: '/recovery',
      problem,
    })
  const expired = (ctx: Context) => {
    const problem = new Problem('proof_expired')
    ctx.status = problem.status
    present(ctx, 'error', { kind: 'link_expired' })
  }

  router.get('/verify-email', async ctx => {
    const errand = errands.begin(ctx)
    const found = errand.token === undefined ? undefined : await emailVerification.find(errand.token)
    if (!found) return expired(ctx)
    show(ctx, errand, { username: found.user.email, hasPassword: found.hasPassword })
  })
  router.get('/verify-email/done', ctx => present(ctx, 'email-verified', {}))
  router.get('/verify-email/:token', ctx => {
    errands.update(ctx, { token: ctx.params.token })
    seeOther(ctx, '/verify-email')
  })
  router.post('/verify-email', async ctx => {
    const errand = errands.begin(ctx)
    const found = errand.token === undefined ? undefined : await emailVerification.find(errand.token)
    if (!found || errand.token === undefined) return expired(ctx)
    const { user, hasPassword } = found
    try {
      const { csrf, password = '' } = await readForm(ctx, { fields: form, issuer })
      forms.verify(errands.bindingOf(errand), csrf)
      if (hasPassword) await signIn.prove(visitor(ctx), { identifier: user.email, password, device: devices.read(ctx), isAgain: true })
      await emailVerification.verifyLink(visitor(ctx), { token: errand.token, isOwner: hasPassword })
      errands.update(ctx, { token: undefined })
      seeOther(ctx, '/verify-email/done')
    } catch (error) {
      if (!isShownOnPage(error)) throw error
      tell(ctx, error)
      show(ctx, errand, { username: user.email, hasPassword, problem: error })
    }
  })
  return router
}
