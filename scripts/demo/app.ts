// Serves the demo relying party: home page, sign-in, callback, and what a signed-in user can do.
import Router from '@koa/router'
import Koa from 'koa'
import { koaBody } from 'koa-body'
import { z } from 'zod'
import type { Html } from './html.ts'
import { homePage, problemPage, signedInPage, unreachableSentence } from './pages.ts'
import { createRelyingParty, IssuerRefused, IssuerUnreachable, type RelyingPartySettings } from './relying-party.ts'
import { createSessions, rememberSignIn, type Session, type SignedIn } from './sessions.ts'
import { style } from './style.ts'

const cookieName = 'authy2_demo'
const actionForm = z.object({ csrf: z.string() })

/** The demo as a Koa app; nothing is asked of the issuer before the first request. */
export function createDemo(settings: RelyingPartySettings): Koa {
  const { issuer, origin } = settings
  const relyingParty = createRelyingParty(settings)
  const sessions = createSessions()
  const router = new Router()

  const sessionOf = (ctx: Koa.Context): Session | undefined => sessions.find(ctx.cookies.get(cookieName))
  const begin = (ctx: Koa.Context): Session => {
    const session = sessions.create()
    ctx.cookies.set(cookieName, session.id, { httpOnly: true, sameSite: 'lax', secure: origin.startsWith('https:'), overwrite: true })
    return session
  }
  const end = (ctx: Koa.Context, session: Session): void => {
    sessions.end(session)
    ctx.cookies.set(cookieName, null, { overwrite: true })
  }

  router.get('/style.css', ctx => {
    ctx.type = 'css'
    ctx.body = style
  })

  router.get('/', async ctx => {
    const session = sessionOf(ctx)
    const alert = await whyUnreachable(relyingParty.reach(), issuer)
    show(ctx, session?.signedIn ? signedInPage(session, session.signedIn, { alert }) : homePage(issuer, { notice: session?.notice, alert }))
    if (session) session.notice = undefined
  })

  router.get('/login', async ctx => {
    const { url, state, pending } = await relyingParty.startSignIn()
    rememberSignIn(sessionOf(ctx) ?? begin(ctx), state, pending)
    seeOther(ctx, url.href)
  })

  router.get('/callback', async ctx => {
    const before = sessionOf(ctx)
    const state = typeof ctx.query.state === 'string' ? ctx.query.state : ''
    const pending = before?.pending.get(state)
    if (!before || !pending) return refuse(ctx, 400, 'Not started here', 'This sign-in was not started in this browser, or is finished already. Start again.')
    before.pending.delete(state)
    const signedIn = await relyingParty.finishSignIn(new URL(ctx.url, origin), state, pending)
    sessions.end(before) // a cookie from before signing in is worth nothing after it
    Object.assign(begin(ctx), { pending: before.pending, signedIn }) // other tabs may still be signing in
    seeOther(ctx, '/')
  })

  const act = (path: string, handle: (ctx: Koa.Context, session: Session, user: SignedIn) => Promise<string>): void => {
    router.post(path, koaBody({ multipart: false, json: false, text: false, formLimit: '4kb' }), async ctx => {
      const session = sessionOf(ctx)
      if (!session?.signedIn) return seeOther(ctx, '/')
      if (actionForm.safeParse(ctx.request.body).data?.csrf !== session.csrf)
        return refuse(ctx, 403, 'Not accepted', 'This form was not made by this page. Go back and try again.')
      seeOther(ctx, await handle(ctx, session, session.signedIn))
    })
  }

  act('/userinfo', async (_ctx, session, user) => {
    session.signedIn = { ...user, userinfo: await relyingParty.fetchUserinfo(user) }
    session.notice = 'The userinfo endpoint answered.'
    return '/'
  })

  act('/refresh', async (_ctx, session, user) => {
    if (user.refreshToken === undefined) return '/'
    session.signedIn = await relyingParty.refresh({ ...user, refreshToken: user.refreshToken })
    session.notice = session.signedIn.refreshToken === user.refreshToken ? 'New access token, same refresh token.' : 'New access token, new refresh token.'
    return '/'
  })

  act('/logout', async (ctx, session, user) => {
    end(ctx, session)
    return (await relyingParty.signOutUrl(user))?.href ?? '/'
  })

  const app = new Koa()
  app.use(protect(settings))
  app.use(tellProblems(issuer))
  app.use(router.routes())
  return app
}

/** Sets the security headers and sends other names of this machine to the one that the cookie is for. */
function protect({ issuer, origin }: RelyingPartySettings): Koa.Middleware {
  // form-action names the issuer too: browsers apply it to the redirect that answers a form
  const policy = `default-src 'none'; style-src 'self'; form-action 'self' ${issuer.origin}; base-uri 'none'; frame-ancestors 'none'`
  return async (ctx, next) => {
    ctx.set({
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    })
    if (ctx.host === new URL(origin).host) return next()
    if (ctx.method === 'GET') return seeOther(ctx, `${origin}${ctx.url}`)
    refuse(ctx, 421, 'Wrong address', `This app is at ${origin}.`)
  }
}

function tellProblems(issuer: URL): Koa.Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (cause) {
      if (cause instanceof IssuerUnreachable) return refuse(ctx, 503, 'The issuer does not answer', unreachableSentence(issuer))
      if (cause instanceof IssuerRefused) return refuse(ctx, 400, 'The issuer refused', [cause.code, cause.description].filter(Boolean).join(': '))
      throw cause
    }
    if (ctx.status === 404) refuse(ctx, 404, 'Not found', 'There is no such page here.')
  }
}

async function whyUnreachable(reach: Promise<void>, issuer: URL): Promise<string | undefined> {
  try {
    await reach
    return undefined
  } catch (cause) {
    if (cause instanceof IssuerUnreachable) return unreachableSentence(issuer)
    throw cause
  }
}

function seeOther(ctx: Koa.Context, location: string): void {
  ctx.redirect(location)
  ctx.status = 303
}

function refuse(ctx: Koa.Context, status: number, title: string, sentence: string): void {
  ctx.status = status
  show(ctx, problemPage(title, sentence))
}

function show(ctx: Koa.Context, page: Html): void {
  ctx.type = 'html'
  ctx.body = page.text
}
