// Sends a browser on after a form.
import type { Context } from 'koa'

/** 303, never 307: what was posted must not be posted on (RFC 9700 §4.12). */
export const seeOther = (ctx: Context, location: string): void => {
  ctx.redirect(location)
  ctx.status = 303
  ctx.set('Cache-Control', 'no-store')
}
