// The account centre: each page for whoever is signed in, its forms, and the way in.
import Router from '@koa/router'
import type { Context } from 'koa'
import { z } from 'zod'
import { multiFactor } from '../mfa/authenticator.ts'
import type { SecondFactor } from '../mfa/second-factor.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import type { Present } from '../pages/present.ts'
import type { ActAs } from '../platform/context.ts'
import { Problem } from '../platform/errors.ts'
import { requestOf } from '../platform/http/asker.ts'
import { type FormTokens, readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { FindBrowserSession } from '../sessions/session.ts'
import type { CollectPersonalData } from '../users/personal-data.ts'
import type { Users } from '../users/users.ts'
import { accountCallbackPath } from './account-client.ts'
import { answerExport } from './data.ts'
import type { Done } from './done.ts'
import { createLinkPages, type LinkNeeds } from './links.ts'
import { type AccountPageRoute, formBinding, type Submitted, shownCodes, type Visit } from './page.ts'
import type { BackchannelRequests } from './requests.ts'
import type { AccountSignIn } from './sign-in.ts'

interface Needs extends LinkNeeds {
  readonly pages: readonly AccountPageRoute[]
  /** Opens the link of an invitation. */
  readonly openInvitation: (ctx: Context) => Promise<void>
  readonly accountSignIn: AccountSignIn
  readonly done: Done
  readonly findBrowserSession: FindBrowserSession
  readonly actAs: ActAs
  readonly users: Users
  readonly secondFactor: SecondFactor
  readonly recentProofs: RecentProofs
  readonly collectPersonalData: CollectPersonalData
  readonly backchannel: Pick<BackchannelRequests, 'countWaiting'>
  /** Whether people may have agents of their own. */
  readonly areAgentsOn: boolean
  readonly present: Present
  readonly pageLanguage: PageLanguage
  readonly forms: FormTokens
  readonly issuer: string
  readonly now: () => Date
}

const sensitiveSeconds = 300
const form = z.looseObject({ csrf: text(200) })

/** Makes the router. */
export const createAccountRouter = (needs: Needs): Router => {
  const { pages, accountSignIn, present } = needs
  const router = new Router()
  router.get('/account', ctx => seeOther(ctx, '/account/profile'))
  // Where `/.well-known/passkey-endpoints` leads.
  router.get('/account/passkeys', ctx => seeOther(ctx, '/account/security'))
  router.get(accountCallbackPath, async ctx => {
    // An answer that is old or a refusal takes nothing from whoever is signed in.
    const to = accountSignIn.finish(ctx) ?? ((await findWhole(ctx, needs)) ? '/account/profile' : undefined)
    if (to !== undefined) return seeOther(ctx, to)
    ctx.status = 400
    present(ctx, 'account-outcome', { kind: 'refused', homeUrl: '/account/profile' })
  })
  for (const page of pages) {
    router.get(page.path, async ctx => {
      const visit = await enter(ctx, needs, page)
      if (visit) await show(ctx, needs, { page, visit }).catch(error => showExpired(ctx, present, error))
    })
    router.post(page.path, async ctx => {
      const visit = await enter(ctx, needs, page)
      if (visit) await submit(ctx, needs, { page, visit })
    })
    const { comeBack } = page
    // A sensitive page was entered before: what was begun there may take longer.
    if (comeBack)
      router.get(`${page.path}/return`, async ctx => {
        const visit = await enter(ctx, needs, { path: page.path, isSensitive: false })
        if (visit) await showing(ctx, needs, { page, visit }, () => comeBack(ctx, visit))
      })
  }
  // Whoever is signed in as somebody else than was invited.
  router.get('/account/invitation/sign-in', ctx => accountSignIn.begin(ctx, { to: '/account/invitation', isAnother: true }))
  router.get('/account/invitation/:token', needs.openInvitation)
  router.get('/account/data/export', async ctx => {
    const visit = await enter(ctx, needs, { path: '/account/data', isSensitive: true })
    if (visit) await answerExport(ctx, visit, needs.collectPersonalData)
  })
  for (const link of createLinkPages(needs)) {
    router.get(`${link.path}/:token`, link.open)
    router.get(link.path, link.show)
    router.post(link.path, link.submit)
  }
  return router
}

/** Who is here; whoever is not signed in, not lately enough, or by one factor of the two they have, is sent to prove what is missing. */
const enter = async (
  ctx: Context,
  {
    findBrowserSession,
    users,
    secondFactor,
    recentProofs,
    accountSignIn,
    pageLanguage,
    now,
  }: Pick<Needs, 'findBrowserSession' | 'users' | 'secondFactor' | 'recentProofs' | 'accountSignIn' | 'pageLanguage' | 'now'>,
  { path, isSensitive }: Pick<AccountPageRoute, 'path' | 'isSensitive'>,
): Promise<Visit | undefined> => {
  const session = await findWhole(ctx, { findBrowserSession, secondFactor })
  const user = session && (await users.find(session.userId))
  const isFresh = session !== undefined && now().getTime() - session.authenticatedAt.getTime() < sensitiveSeconds * 1000
  if (!session || !user || user.isSuspended || (isSensitive && !isFresh)) {
    accountSignIn.begin(ctx, { to: path, ...(isSensitive ? { maxAgeSeconds: sensitiveSeconds } : {}) })
    return undefined
  }
  // Another provider may have signed in whoever sits at an open browser, a moment ago but unasked.
  if (isSensitive && !(await recentProofs.isRecent({ sessionId: session.sid, userId: user.id }))) {
    accountSignIn.begin(ctx, { to: path, isAnother: true })
    return undefined
  }
  return {
    user,
    sid: session.sid,
    actor: {
      kind: 'user',
      id: user.id,
      userId: user.id,
      sessionId: session.sid,
      permissions: new Set(),
      ...requestOf(ctx),
      language: pageLanguage.of(ctx).tag,
    },
  }
}

/** The session of this browser, where it proved both factors of whoever has two. */
const findWhole = async (ctx: Context, { findBrowserSession, secondFactor }: Pick<Needs, 'findBrowserSession' | 'secondFactor'>) => {
  const session = await findBrowserSession(ctx)
  const isProvenByTwo = (found: typeof session) => found?.amr.includes(multiFactor) ?? false
  if (!session || isProvenByTwo(session) || (await secondFactor.list(session.userId)).length === 0) return session
  // A factor may be confirmed, and this session proven by it, between the one look and the other: then the session is looked at again.
  return isProvenByTwo(await findBrowserSession(ctx)) ? session : undefined
}

interface Shown {
  readonly page: AccountPageRoute
  readonly visit: Visit
  readonly problem?: Problem
}

const show = async (ctx: Context, { present, forms, done, backchannel, areAgentsOn }: Needs, { page, visit, problem }: Shown) => {
  const own = await page.show(ctx, visit)
  if (!own) return
  const said = problem ? undefined : done.read(ctx, visit)
  const waiting = await backchannel.countWaiting(visit.user.id)
  const locals = {
    ...own,
    csrf: forms.issue(formBinding(visit.sid)),
    done: said === undefined ? undefined : `account.done.${said}`,
    waiting,
    withoutAgents: !areAgentsOn,
    problem,
  }
  // `accountPage` holds what `show` gives to the view's own locals.
  present(ctx, page.view, locals as never)
}

const submit = (ctx: Context, needs: Needs, shown: Shown) =>
  showing(ctx, needs, shown, async () => {
    const { page, visit } = shown
    const { csrf, ...fields } = await readForm(ctx, { fields: form, issuer: needs.issuer })
    needs.forms.verify(formBinding(visit.sid), csrf)
    return page.submit(ctx, visit, fields)
  })

/** Does what is asked on a page, and says that it was done, or shows a Problem of it there. */
const showing = async (ctx: Context, needs: Needs, { page, visit }: Shown, work: () => Promise<Submitted>) => {
  try {
    const submitted = await needs.actAs(visit.actor, work)
    if ('done' in submitted) seeOther(ctx, needs.done.addressOf(visit, { path: submitted.at ?? page.path, key: submitted.done }))
  } catch (error) {
    // The session ended meanwhile: there they sign in.
    if (error instanceof Problem && error.code === 'unauthenticated') return seeOther(ctx, page.path)
    if (!(error instanceof Problem) || !shownCodes.has(error.code)) return showExpired(ctx, needs.present, error)
    ctx.status = error.status
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
    await show(ctx, needs, { page, visit, problem: error })
  }
}

const showExpired = (ctx: Context, present: Present, error: unknown): void => {
  if (!(error instanceof Problem && error.code === 'link_expired')) throw error
  ctx.status = error.status
  present(ctx, 'account-outcome', { kind: 'link_expired', homeUrl: '/account/profile' })
}
