// The hosted sign-in: a page a prompt, forms in, and back to the authorization request.
import Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { readForm } from '../platform/http/form.ts'
import { text } from '../platform/http/text.ts'
import { createConsentPage } from './consent.ts'
import { createEnrolmentPage } from './enrolment.ts'
import { type PageNeeds, seeOther, visitor } from './interaction.ts'
import { createLoginPages } from './login.ts'
import { createRecoveryCodesPage } from './recovery-codes.ts'
import { createSecondFactorPage } from './second-factor.ts'

/** Makes the router. */
export const createInteractionRouter = (needs: PageNeeds): Router => {
  const login = createLoginPages(needs)
  const consent = createConsentPage(needs)
  const router = new Router({ prefix: '/interaction/:uid' })
  router.get('/', async ctx => {
    const interaction = await needs.interactions.get(ctx)
    if (interaction.prompt === 'mfa') return seeOther(ctx, await needs.interactions.goOn(ctx))
    return interaction.prompt === 'consent' ? consent.show(ctx, interaction) : login.showIdentifier(ctx, interaction)
  })
  router.post('/identifier', login.submitIdentifier)
  router.get('/identifier', async ctx => login.showIdentifier(ctx, await needs.interactions.get(ctx)))
  router.get('/password', login.showPassword)
  router.post('/password', login.submitPassword)
  const pages = [
    ['/second-factor', createSecondFactorPage(needs, 'totp')],
    ['/second-factor/recovery-code', createSecondFactorPage(needs, 'recovery_code')],
    ['/enrol', createEnrolmentPage(needs)],
    ['/recovery-codes', createRecoveryCodesPage(needs)],
  ] as const
  for (const [path, { show, submit }] of pages) router.get(path, show).post(path, submit)
  router.post('/consent', consent.submit)
  router.post('/switch', async ctx => {
    await readToken(ctx, needs)
    seeOther(ctx, `/interaction/${ctx.params.uid}/identifier`)
  })
  router.post('/cancel', async ctx => {
    await readToken(ctx, needs)
    seeOther(ctx, await needs.interactions.refuse(ctx, visitor(ctx)))
  })
  return router
}

const tokenOnly = z.strictObject({ csrf: text(200) })

const readToken = async (ctx: Context, { interactions, forms, issuer }: PageNeeds) => {
  const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
  const { uid } = await interactions.get(ctx)
  forms.verify(uid, csrf)
}
