// An interaction that is over: its page leads to where the client begins a sign-in, while the browser still knows for whom it began.
import type { Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'
import { notePageContext } from '../platform/http/page-context.ts'
import type { PageNeeds } from './interaction.ts'

/** Makes what stands before the pages of an interaction. */
export const createExpired =
  ({ interactions, identifiers }: Pick<PageNeeds, 'interactions' | 'identifiers'>): Middleware =>
  async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const isOver = error instanceof Problem && error.code === 'interaction_expired'
      const clientId = isOver ? identifiers.clientId(ctx, String(ctx.params.uid)) : undefined
      if (clientId !== undefined) notePageContext(ctx, { startUrl: await interactions.findStartUrl(clientId) })
      throw error
    }
  }
