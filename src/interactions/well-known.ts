// The addresses at which browsers and password managers look for the pages of an account.
import type { Middleware } from 'koa'
import { Problem } from '../platform/errors.ts'

/** Serves `/.well-known/passkey-endpoints` and `/.well-known/change-password` (W3C drafts of those names). */
export const createWellKnown = ({ issuer }: { issuer: string }): Middleware => {
  const passkeys = `${issuer}/account/passkeys`
  return (ctx, next) => {
    const isPasskeys = ctx.path === '/.well-known/passkey-endpoints'
    if (!isPasskeys && ctx.path !== '/.well-known/change-password') return next()
    if (!['GET', 'HEAD'].includes(ctx.method)) {
      ctx.set('Allow', 'GET, HEAD')
      throw new Problem('method_not_allowed')
    }
    if (!isPasskeys) return ctx.redirect('/account/password')
    ctx.set('Cache-Control', 'public, max-age=3600')
    ctx.body = { enroll: passkeys, manage: passkeys }
  }
}
