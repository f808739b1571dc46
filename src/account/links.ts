// Links of mails about the account: opened without acting, for programs follow links too; the secret leaves the address bar at once.
import type { Context } from 'koa'
import { z } from 'zod'
import type { AccountLinkPage, AccountOutcomePage } from '../pages/account-locals.ts'
import type { Present } from '../pages/present.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { type FormTokens, readForm } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import type { AccountDeletion } from '../users/account-deletion.ts'
import type { EmailChanges } from '../users/email-change.ts'
import { createLinkCookie } from './link-cookie.ts'

/** What the pages of links need. */
export interface LinkNeeds {
  readonly emailChanges: EmailChanges
  readonly accountDeletion: AccountDeletion
  readonly present: Present
  readonly forms: FormTokens
  readonly secrets: Secrets
  readonly issuer: string
  readonly isSecure: boolean
}

/** The pages of one kind of link. */
export interface LinkPage {
  readonly path: `/account/${string}`
  /** Keeps the secret in a cookie of this path and goes on without it. */
  open(ctx: Context): void
  show(ctx: Context): Promise<void>
  submit(ctx: Context): Promise<void>
}

interface Link {
  readonly path: `/account/${string}`
  readonly kind: AccountLinkPage['kind']
  readonly outcome: AccountOutcomePage['kind']
  /** The address that it is about. */
  find(token: string): Promise<string | undefined>
  act(actor: Actor, token: string): Promise<void>
}

const form = z.strictObject({ csrf: text(200) })

/** Makes them. */
export const createLinkPages = (needs: LinkNeeds): readonly LinkPage[] => {
  const { emailChanges, accountDeletion } = needs
  const links: readonly Link[] = [
    {
      path: '/account/email/confirm',
      kind: 'change',
      outcome: 'email_changed',
      find: token => emailChanges.find('change', token),
      act: emailChanges.confirm,
    },
    { path: '/account/email/undo', kind: 'undo', outcome: 'email_undone', find: token => emailChanges.find('undo', token), act: emailChanges.undo },
    { path: '/account/restore', kind: 'restore', outcome: 'restored', find: accountDeletion.find, act: accountDeletion.restore },
  ]
  return links.map(link => createLinkPage(needs, link))
}

const createLinkPage = ({ present, forms, secrets, issuer, isSecure }: LinkNeeds, { path, kind, outcome, find, act }: Link): LinkPage => {
  const cookie = createLinkCookie({ secrets, isSecure, path })
  const expired = (ctx: Context) => {
    ctx.status = 404
    present(ctx, 'account-outcome', { kind: 'link_expired', homeUrl: '/account/profile' })
  }
  return {
    path,
    open: ctx => {
      cookie.keep(ctx, String(ctx.params.token))
      seeOther(ctx, path)
    },
    show: async ctx => {
      const token = cookie.read(ctx)
      const email = token === undefined ? undefined : await find(token)
      if (token === undefined || email === undefined) return expired(ctx)
      present(ctx, 'account-link', { csrf: forms.issue(bindingOf(token)), kind, email, action: path })
    },
    submit: async ctx => {
      const { csrf } = await readForm(ctx, { fields: form, issuer })
      const token = cookie.read(ctx)
      if (token === undefined) return expired(ctx)
      forms.verify(bindingOf(token), csrf)
      cookie.forget(ctx)
      try {
        await act(byMail(ctx), token)
      } catch (error) {
        if (error instanceof Problem && (error.code === 'link_expired' || error.code === 'email_taken')) return expired(ctx)
        throw error
      }
      present(ctx, 'account-outcome', { kind: outcome, homeUrl: '/account/profile' })
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
