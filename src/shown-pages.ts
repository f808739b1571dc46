// Which hosted page is shown for what the protocol and the error boundary have to tell.
import type { Context } from 'koa'
import type { ContinueWords, Switching } from './oidc/continue-page.ts'
import type { ShowPages } from './oidc/engine-pages.ts'
import type { Present } from './pages/present.ts'
import type { Problem } from './platform/errors.ts'
import { pageContextOf } from './platform/http/page-context.ts'
import type { Language } from './platform/languages.ts'

/** Shows a Problem of a page that does not show it itself. */
export const showProblem = (present: Present, { ctx, problem }: { ctx: Context; problem: Problem }) => {
  if (problem.code === 'interaction_expired') present(ctx, 'expired', { startUrl: pageContextOf(ctx).startUrl })
  else if (problem.code === 'not_found') present(ctx, 'not-found', {})
  else present(ctx, 'error', { kind: problem.status >= 500 ? 'server_error' : 'refused', problem })
}

/** Shows what the protocol engine asks to be shown. */
export const showPages = (present: Present, isDevelopment: boolean): ShowPages => ({
  error: (ctx, { detail, ...page }) => present(ctx, 'error', { ...page, detail: isDevelopment ? detail : undefined }),
  expired: (ctx, page) => present(ctx, 'expired', page),
  logout: (ctx, page) => present(ctx, 'logout', page),
  signedOut: (ctx, page) => present(ctx, 'signed-out', page),
  deviceCode: (ctx, page) => present(ctx, 'device-code', page),
  deviceConfirm: (ctx, page) => present(ctx, 'device-confirm', page),
  deviceDone: (ctx, page) => present(ctx, 'device-done', page),
})

/** The words of the page that goes on by itself, or asks whether somebody else is to be signed in. */
export const continueWords = (
  { tag, direction, t }: Language,
  { product, switching }: { product: string; switching?: Switching | undefined },
): ContinueWords => ({
  lang: tag,
  dir: direction,
  title: `${t('title.continue')} · ${product}`,
  heading: t(switching ? 'continue.switch_heading' : 'continue.heading'),
  lede: switching ? t('continue.switch_lede', { ...switching }) : t('continue.lede'),
  button: t('action.continue'),
})
