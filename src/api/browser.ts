// The browser's own session as a credential of the API: for pages of our origin that prove they are ours.
import type { Context } from 'koa'
import { Problem } from '../platform/errors.ts'
import type { FormTokens } from '../platform/http/form.ts'

/** The session of the hosted pages, found by its signed cookie. */
export type FindBrowserSession = (ctx: Context) => Promise<{ sid: string; userId: string; amr: readonly string[] } | undefined>

/** Finds the browser's session and lets only our own pages use it. Throws `csrf_header_mismatch`. */
export type IdentifyBrowser = FindBrowserSession

/** The header in which our pages send the session's token. */
export const csrfHeader = 'X-CSRF-Token'

/** The token of a session's requests; `/auth/me` tells it to our own pages. */
export const csrfTokenOf = (forms: FormTokens, sid: string): string => forms.issue(`api\0${sid}`)

/** Makes it. Reading needs our origin, writing needs the session's token too. */
export const createIdentifyBrowser =
  ({ find, forms, issuer }: { find: FindBrowserSession; forms: FormTokens; issuer: string }): IdentifyBrowser =>
  async ctx => {
    const session = await find(ctx)
    if (!session) return undefined
    const isSameOrigin = ctx.get('Sec-Fetch-Site') === 'same-origin' && [issuer, ''].includes(ctx.get('Origin'))
    // Another site's page, or an address typed in, is nobody's: it reads what anybody may read.
    if (!isSameOrigin) return undefined
    if (!['GET', 'HEAD'].includes(ctx.method)) {
      verifyCsrf(forms, { sid: session.sid, token: ctx.get(csrfHeader) })
    }
    return session
  }

const verifyCsrf = (forms: FormTokens, { sid, token }: { sid: string; token: string }) => {
  if (token === '') throw new Problem('csrf_header_mismatch')
  try {
    forms.verify(`api\0${sid}`, token)
  } catch (error) {
    throw error instanceof Problem ? new Problem('csrf_header_mismatch', { cause: error }) : error
  }
}
