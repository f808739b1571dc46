// What a request has told by the time a page answers it, whichever entrance heard it.
import type { Context } from 'koa'
import type { Branding } from '../branding.ts'

/** For whom the page is. */
export interface PageContext {
  /** The languages that the client wishes for its user, as it gave them. */
  readonly uiLocales?: string | undefined
  /** The language of those who wish for none of ours. */
  readonly defaultLanguage?: string | undefined
  /** Where what is over begins again. */
  readonly startUrl?: string | undefined
  /** What is not the system's. */
  readonly branding?: Partial<Branding> | undefined
  /** The logo of the client that asks, on our own origin. */
  readonly clientLogoUrl?: string | undefined
}

/** Notes what became known; what is not said stays. */
export const notePageContext = (ctx: Pick<Context, 'state'>, known: PageContext): void => {
  ctx.state.page = { ...ctx.state.page, ...known }
}

/** What is known so far. */
export const pageContextOf = (ctx: Pick<Context, 'state'>): PageContext => ctx.state.page ?? {}
