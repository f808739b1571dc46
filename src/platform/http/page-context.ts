// What a request has told by the time a page answers it, whichever entrance heard it.
import type { Context } from 'koa'

/** For whom the page is. */
export interface PageContext {
  /** The languages that the client wishes for its user, as it gave them. */
  readonly uiLocales?: string | undefined
}

/** Notes what became known; what is not said stays. */
export const notePageContext = (ctx: Pick<Context, 'state'>, { uiLocales }: PageContext): void => {
  if (uiLocales !== undefined) ctx.state.page = { ...ctx.state.page, uiLocales }
}

/** What is known so far. */
export const pageContextOf = (ctx: Pick<Context, 'state'>): PageContext => ctx.state.page ?? {}
