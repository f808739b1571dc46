// The hosted sign-in: a page a prompt, forms in, and back to the authorization request.
import Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { createConsentPage } from './consent.ts'
import { type PageNeeds, visitor } from './interaction.ts'
import { createLoginPages } from './login.ts'
import { createPasskeyPages } from './passkey.ts'

/** Makes the router. */
export const createInteractionRouter = (needs: PageNeeds): Router => {
  const login = createLoginPages(needs)
  const passkey = createPasskeyPages(needs, login)
  const consent = createConsentPage(needs)
  const router = new Router({ prefix: '/interaction/:uid' })
  const showPrompt = async (ctx: Context) => {
    const interaction = await needs.interactions.get(ctx)
    return interaction.prompt === 'consent' ? consent.show(ctx, interaction) : login.showIdentifier(ctx, interaction)
  }
  router.get('/', showPrompt)
  router.post('/identifier', login.submitIdentifier)
  router.get('/identifier', async ctx => login.showIdentifier(ctx, await needs.interactions.get(ctx)))
  router.get('/password', login.showPassword)
  router.post('/password', login.submitPassword)
  router.get('/consent', showPrompt)
  router.post('/passkey/options', passkey.giveOptions)
  router.post('/passkey', passkey.submit)
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
