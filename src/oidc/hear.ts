// Notes for a page what the engine read of the request: the client's look, and the languages it asks for.
import type { Context } from 'koa'
import type { FindLook } from '../clients/branding.ts'
import { isUnavailable } from '../platform/data/database.ts'
import { notePageContext } from '../platform/http/page-context.ts'

/** Notes it before a page is shown. */
export type Hear = (ctx: Context, request: { readonly clientId?: string | undefined; readonly uiLocales?: unknown }) => Promise<void>

/** Makes it. A page that tells of an outage is shown without the client's look. */
export const createHear =
  (findLook: FindLook): Hear =>
  async (ctx, { clientId, uiLocales }) => {
    if (typeof uiLocales === 'string') notePageContext(ctx, { uiLocales })
    if (clientId === undefined) return
    try {
      notePageContext(ctx, (await findLook(clientId)) ?? {})
    } catch (error) {
      if (!isUnavailable(error)) throw error
    }
  }
