// Puts a page into a response: its security policy, its language, its brand.
import type { Context } from 'koa'
import { type Branding, productName } from '../platform/branding.ts'
import { pageContextOf } from '../platform/http/page-context.ts'
import type { PageLanguage } from './page-language.ts'
import type { PageLocals, PageName } from './page-locals.ts'
import type { CommonLocals, Pages } from './pages.ts'

/** Answers with a page. The status is the caller's to set; it stays 200 otherwise. */
export type Present = <View extends PageName>(ctx: Context, view: View, locals: PageLocals[View]) => void

interface Needs {
  readonly pages: Pages
  readonly pageLanguage: PageLanguage
  readonly randomBytes: (size: number) => Buffer
}

/** Makes the presenter. Pages are never kept by a cache and say nothing of where one came from. */
export const createPresent =
  ({ pages, pageLanguage, randomBytes }: Needs): Present =>
  (ctx, view, locals) => {
    const nonce = randomBytes(16).toString('base64')
    ctx.set('Content-Security-Policy', pagePolicy(nonce))
    ctx.set({ 'Cache-Control': 'no-store', 'Cross-Origin-Opener-Policy': 'same-origin', 'Permissions-Policy': permissions, 'X-Robots-Tag': 'noindex' })
    const { tag } = pageLanguage.of(ctx)
    ctx.set('Content-Language', tag)
    ctx.type = 'html'
    const common: CommonLocals = { lang: tag, here: addressOf(ctx), branding: brandingOf(ctx), nonce, requestId: ctx.state.requestId }
    ctx.body = pages.render(view, { ...withLogo(locals, pageContextOf(ctx).clientLogoUrl), ...common })
  }

// A client's logo is only ever the one that we keep: browsers ask nobody else for it.
const withLogo = <Locals extends object>(locals: Locals, logoUrl: string | undefined): Locals =>
  'client' in locals && locals.client ? { ...locals, client: { ...locals.client, logoUrl } } : locals

/** How the pages look that this request ends in. */
export const brandingOf = (ctx: Context): Branding => brandingOver(pageContextOf(ctx).branding)

/** A tenant's branding over the system's. */
export const brandingOver = (tenant: Partial<Branding> | undefined): Branding => ({ name: productName, ...tenant })

const maxAddress = 2000

// A page that answered a form is come back to as its path.
const addressOf = ({ method, path, search }: Context): string =>
  (method === 'GET' || method === 'HEAD') && path.length + search.length <= maxAddress ? path + search : path.slice(0, maxAddress)

/** The content security policy of a page. It has no `form-action`: browsers apply that to the redirects after a form, which lead to the client. */
export const pagePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    `style-src 'self' 'nonce-${nonce}'`,
    `script-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const permissions = 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)'
