// Links of mails about the address: opened without acting, for programs follow links too; the secret leaves the address bar at once.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Present } from '../pages/present.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { type FormTokens, readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import type { EmailChanges } from '../users/email-change.ts'
import { createLinkCookie } from './link-cookie.ts'

/** What the pages of links need. */
export interface LinkNeeds {
  readonly emailChanges: EmailChanges
  readonly present: Present
  readonly forms: FormTokens
  readonly secrets: Secrets
  readonly issuer: string
  readonly isSecure: boolean
}

const form = z.strictObject({ csrf: text(200) })
const kinds = { confirm: { kind: 'change', outcome: 'email_changed' }, undo: { kind: 'undo', outcome: 'email_undone' } } as const

/** Makes the handlers. */
export const createLinkPages = ({ emailChanges, present, forms, secrets, issuer, isSecure }: LinkNeeds) => {
  const cookie = createLinkCookie({ secrets, isSecure, path: '/account/email' })
  const kindOf = (ctx: Context) => {
    const path: unknown = ctx.params.kind
    if (path !== 'confirm' && path !== 'undo') throw new Problem('not_found')
    return { path, ...kinds[path] }
  }
  const outcome = (ctx: Context, kind: 'email_changed' | 'email_undone' | 'link_expired') =>
    present(ctx, 'account-outcome', { kind, homeUrl: '/account/profile' })
  const expired = (ctx: Context) => {
    ctx.status = 404
    outcome(ctx, 'link_expired')
  }

  return {
    /** Keeps the secret in a cookie of this path and goes on without it. */
    open: (ctx: Context) => {
      const { path } = kindOf(ctx)
      cookie.keep(ctx, String(ctx.params.token))
      seeOther(ctx, `/account/email/${path}`)
    },
    show: async (ctx: Context) => {
      const { path, kind } = kindOf(ctx)
      const token = cookie.read(ctx)
      const email = token === undefined ? undefined : await emailChanges.find(kind, token)
      if (token === undefined || email === undefined) return expired(ctx)
      present(ctx, 'account-link', { csrf: forms.issue(bindingOf(token)), kind, email, action: `/account/email/${path}` })
    },
    submit: async (ctx: Context) => {
      const { path, outcome: done } = kindOf(ctx)
      const { csrf } = await readForm(ctx, { fields: form, issuer })
      const token = cookie.read(ctx)
      if (token === undefined) return expired(ctx)
      forms.verify(bindingOf(token), csrf)
      cookie.forget(ctx)
      try {
        await (path === 'confirm' ? emailChanges.confirm(byMail(ctx), token) : emailChanges.undo(byMail(ctx), token))
      } catch (error) {
        if (error instanceof Problem && (error.code === 'link_expired' || error.code === 'email_taken')) return expired(ctx)
        throw error
      }
      outcome(ctx, done)
    },
  }
}

const bindingOf = (token: string) => `link\0${hashOf('link', token).toString('base64url')}`

// Whoever holds the link need not be signed in here.
const byMail = (ctx: Context): Actor => ({
  kind: 'anonymous',
  permissions: new Set(),
  requestId: ctx.state.requestId,
  ip: ctx.ip,
  userAgent: ctx.get('User-Agent').slice(0, 512) || undefined,
})
