// Leads whoever comes back to what the form of signing out answered to its page: the engine takes that address by POST only.
import type { Middleware } from 'koa'
import { seeOther } from '../platform/http/see-other.ts'
import { at, paths } from './paths.ts'

const confirmation = `${paths.end_session}/confirm`

/** Makes it. */
export const createLogoutAgain = (): Middleware =>
  at([confirmation], async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    return seeOther(ctx, paths.end_session)
  })
