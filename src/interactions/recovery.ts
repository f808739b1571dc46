// Forgotten password: asks for the address, and by the mailed link for a new password. The link's secret leaves the address at once; what
// comes after stands in a cookie, so that neither history nor Referer nor a mail scanner that follows links can use it.
import Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { Problem } from '../platform/errors.ts'
import { readForm, typedIn } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { createErrands, type Errand } from './errand.ts'
import { isShownOnPage, type PageNeeds, visitor } from './interaction.ts'
import { baseOf } from './place.ts'
import { tell } from './tell.ts'

const askForm = z.strictObject({ csrf: text(200), username: text(320).trim().min(1) })
const passwordForm = z.strictObject({ csrf: text(200), username: text(320).optional(), password: text(1024).min(1) })

/** Makes the router. */
export const createRecoveryRouter = (needs: PageNeeds & { readonly newId: () => string }): Router => {
  const { interactions, identifiers, offers, proofs, recovery, devices, present, pageLanguage, forms, issuer } = needs
  const errands = createErrands('recovery', needs)
  const router = new Router()
  router.use('/recovery', async (ctx, next) => {
    if (!offers.recovery) throw new Problem('not_found')
    await errands.dress(ctx)
    return next()
  })

  const backUrl = ({ interaction }: Errand) => (interaction === undefined ? undefined : baseOf({ uid: interaction }))
  // Whom a mail is asked for stands in that form itself.
  const askBinding = ({ id }: Errand) => errands.bindingOf({ id })
  const showAsk = (
    ctx: Context,
    errand: Errand,
    { problem, username = typedIn(ctx, 'username') ?? errand.email }: { problem?: Problem; username?: string } = {},
  ) => present(ctx, 'recovery', { action: '/recovery/request', csrf: forms.issue(askBinding(errand)), username, backUrl: backUrl(errand), problem })
  const showPassword = (ctx: Context, errand: Errand, { username, problem }: { username: string; problem?: Problem }) =>
    present(ctx, 'new-password', { action: '/recovery', csrf: forms.issue(errands.bindingOf(errand)), username, minLength: needs.passwordMinLength, problem })
  /** Shows a Problem on the form it came from; any other error goes on. */
  const shown = (ctx: Context, error: unknown, show: (problem: Problem) => void) => {
    if (!isShownOnPage(error)) throw error
    tell(ctx, error)
    show(error)
  }

  router.get(`${baseOf({ uid: ':uid' })}/recovery`, async ctx => {
    if (!offers.recovery) throw new Problem('not_found')
    const interaction = await interactions.get(ctx)
    const { tag: language } = pageLanguage.of(ctx)
    errands.update(ctx, { interaction: interaction.uid, clientId: interaction.clientId, language, email: identifiers.kept(ctx, interaction), token: undefined })
    seeOther(ctx, '/recovery')
  })
  router.get('/recovery', async ctx => {
    const errand = errands.begin(ctx)
    const user = errand.token === undefined ? undefined : await recovery.find(errand.token)
    if (user) return showPassword(ctx, errand, { username: user.email })
    if (errand.token === undefined) return showAsk(ctx, errand)
    shown(ctx, new Problem('proof_expired'), problem => showAsk(ctx, errands.update(ctx, { token: undefined }), { problem }))
  })
  router.post('/recovery/request', async ctx => {
    const errand = errands.begin(ctx)
    try {
      const { csrf, username } = await readForm(ctx, { fields: askForm, issuer })
      forms.verify(askBinding(errand), csrf)
      await proofs.ask(visitor(ctx, pageLanguage.of(ctx)), { purpose: 'password_reset', email: username })
      errands.update(ctx, { email: username, token: undefined })
      seeOther(ctx, '/recovery/sent')
    } catch (error) {
      shown(ctx, error, problem => showAsk(ctx, errand, { problem }))
    }
  })
  // Its mistakes are told on the page before it.
  router.get('/recovery/request', ctx => seeOther(ctx, '/recovery'))
  router.get('/recovery/sent', ctx => present(ctx, 'recovery-sent', { againUrl: '/recovery', backUrl: backUrl(errands.begin(ctx)) }))
  router.get('/recovery/done', ctx => present(ctx, 'recovery-done', { backUrl: backUrl(errands.begin(ctx)) }))
  router.get('/recovery/:token', ctx => {
    errands.update(ctx, { token: ctx.params.token })
    seeOther(ctx, '/recovery')
  })
  router.post('/recovery', async ctx => {
    const errand = errands.begin(ctx)
    const user = errand.token === undefined ? undefined : await recovery.find(errand.token)
    if (!user || errand.token === undefined) return seeOther(ctx, '/recovery')
    try {
      const { csrf, password } = await readForm(ctx, { fields: passwordForm, issuer })
      forms.verify(errands.bindingOf(errand), csrf)
      const { id } = await recovery.reset(visitor(ctx, pageLanguage.of(ctx)), { token: errand.token, password, device: devices.read(ctx) })
      // Whoever reads the mail is let in here, although strangers who guessed closed the account elsewhere.
      devices.remember(ctx, id)
      errands.update(ctx, { token: undefined, email: undefined })
      seeOther(ctx, '/recovery/done')
    } catch (error) {
      shown(ctx, error, problem => showPassword(ctx, errand, { username: user.email, problem }))
    }
  })
  return router
}
