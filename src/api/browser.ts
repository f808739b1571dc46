// The browser's own session as a credential of the API: for pages of our origin that prove they are ours.
import type { Context } from 'koa'
import { Problem } from '../platform/errors.ts'
import type { FormTokens } from '../platform/http/form.ts'
import type { BrowserSession, FindBrowserSession } from '../sessions/session.ts'

/** A page of ours that proved to be one, with the session of its browser: what `find` alone gives is no such thing. */
export interface OwnPage {
  readonly session: BrowserSession
}

/** Finds who asks from one of our own pages; nobody else's. Throws `csrf_header_mismatch`. */
export type IdentifyBrowser = (ctx: Context) => Promise<OwnPage | undefined>

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
    return { session }
  }

const verifyCsrf = (forms: FormTokens, { sid, token }: { sid: string; token: string }) => {
  if (token === '') throw new Problem('csrf_header_mismatch')
  try {
    forms.verify(`api\0${sid}`, token)
  } catch (error) {
    throw error instanceof Problem ? new Problem('csrf_header_mismatch', { cause: error }) : error
  }
}
