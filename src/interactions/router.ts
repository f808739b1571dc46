// The hosted sign-in: a page a prompt, forms in, and back to the authorization request.
import Router from '@koa/router'
import type { Context } from 'koa'
import { readForm, tokenOnly } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { createProofCookie, createRedeemedCookie } from './asked-proof.ts'
import { createCodePages } from './code.ts'
import { createConnectionPages } from './connection.ts'
import { createConsentPage } from './consent.ts'
import { createEnrolmentPage } from './enrolment.ts'
import { createExpired } from './expired.ts'
import { type PageNeeds, visitor } from './interaction.ts'
import { createLastConnection } from './last-connection.ts'
import { createLoginPages } from './login.ts'
import { createOrganizationPage } from './organization.ts'
import { createPasskeyPages } from './passkey.ts'
import { baseOf } from './place.ts'
import { createRecoveryCodesPage } from './recovery-codes.ts'
import { createSecondFactorPage, createSecondPasskey } from './second-factor.ts'
import { createSentTwice } from './sent-twice.ts'
import { createSignUpPage } from './sign-up.ts'
import { createUpstreamStart } from './upstream-start.ts'

/** Makes the router. */
export const createInteractionRouter = (needs: PageNeeds & { readonly newId: () => string }): Router => {
  const sentTwice = createSentTwice(needs)
  const consent = createConsentPage({ ...needs, sentTwice })
  const organization = createOrganizationPage(needs)
  const cookie = createProofCookie(needs)
  const code = createCodePages({ ...needs, cookie, redeemed: createRedeemedCookie(needs) })
  const [start, lastConnection] = [createUpstreamStart(needs), createLastConnection(needs)]
  const login = createLoginPages({ ...needs, startCode: code.start, start, lastConnection, sentTwice })
  const connection = createConnectionPages({ ...needs, start, lastConnection }, login)
  const signUp = createSignUpPage({ ...needs, cookie })
  const passkey = createPasskeyPages(needs, login)
  const secondPasskey = createSecondPasskey(needs)
  const router = new Router({ prefix: baseOf({ uid: ':uid' }) })
  router.use(createExpired(needs))
  const showPrompt = async (ctx: Context) => {
    const interaction = await needs.interactions.get(ctx)
    if (interaction.prompt === 'mfa') return seeOther(ctx, await needs.interactions.goOn(ctx))
    if (interaction.prompt === 'consent') return consent.show(ctx, interaction)
    if (interaction.prompt === 'organization') return organization.show(ctx, interaction)
    if (interaction.prompt === 'login' && (await connection.goByHint(ctx, interaction))) return
    return login.showIdentifier(ctx, interaction)
  }
  router.get('/', showPrompt)
  router.post('/identifier', login.submitIdentifier)
  router.get('/identifier', async ctx => login.showIdentifier(ctx, await needs.interactions.get(ctx)))
  router.post('/connection', connection.submit)
  router.get('/connection/return', connection.finish)
  router.get('/password', login.showPassword)
  router.post('/password', login.submitPassword)
  router.get('/consent', showPrompt)
  router.post('/passkey/options', passkey.giveOptions)
  router.post('/passkey', passkey.submit)
  router.post('/second-factor/passkey/options', secondPasskey.giveOptions)
  router.post('/second-factor/passkey', secondPasskey.submit)
  router.get('/sign-up', signUp.show)
  router.post('/sign-up', signUp.submit)
  router.post('/email-code', login.submitEmailCode)
  router.get('/code', code.show)
  router.post('/code', code.submit)
  router.post('/code/resend', code.resend)
  router.get('/code/link', code.showLink)
  router.post('/code/link', code.submitLink)
  const pages = [
    ['/second-factor', createSecondFactorPage(needs, 'totp')],
    ['/second-factor/recovery-code', createSecondFactorPage(needs, 'recovery_code')],
    ['/enrol', createEnrolmentPage(needs)],
    ['/recovery-codes', createRecoveryCodesPage(needs)],
  ] as const
  for (const [path, { show, submit }] of pages) router.get(path, show).post(path, submit)
  for (const [path, page] of shownElsewhere) router.get(path, ctx => seeOther(ctx, `${baseOf({ uid: String(ctx.params.uid) })}${page}`))
  router.get('/code/:token', code.openLink)
  router.post('/consent', consent.submit)
  router.get('/organization', organization.search)
  router.post('/organization', organization.submit)
  router.post('/switch', async ctx => {
    await readToken(ctx, needs)
    seeOther(ctx, `${baseOf({ uid: String(ctx.params.uid) })}/identifier`)
  })
  router.post('/cancel', async ctx => {
    await readToken(ctx, needs)
    seeOther(ctx, await needs.interactions.refuse(ctx, visitor(ctx)))
  })
  return router
}

// Forms that answer a mistake on the page of another address: who reloads it, goes back to it or changes its language is led there.
const shownElsewhere = [
  ['/connection', '/identifier'],
  ['/passkey', '/identifier'],
  ['/email-code', '/password'],
  ['/code/resend', '/code'],
  ['/second-factor/passkey', '/second-factor'],
  ['/switch', ''],
  ['/cancel', ''],
] as const

const readToken = async (ctx: Context, { interactions, forms, issuer }: PageNeeds) => {
  const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
  const { uid } = await interactions.get(ctx)
  forms.verify(uid, csrf)
}
