// Links of mails about the account: opened without acting, for programs follow links too; the secret leaves the address bar at once.
import type { Context } from 'koa'
import type { AccountLinkPage, AccountOutcomePage } from '../pages/account-link-locals.ts'
import type { PageLanguage } from '../pages/page-language.ts'
import type { Present } from '../pages/present.ts'
import type { Actor } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { requestOf } from '../platform/http/asker.ts'
import { type FormTokens, readForm, tokenOnly } from '../platform/http/form.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { hashOf, type Secrets } from '../platform/secrets.ts'
import type { FindBrowserSession } from '../sessions/session.ts'
import type { AccountDeletion } from '../users/account-deletion.ts'
import type { EmailChanges } from '../users/email-change.ts'
import { createLinkCookie } from './link-cookie.ts'
import type { AccountSignIn } from './sign-in.ts'

/** What the pages of links need. */
export interface LinkNeeds {
  readonly findBrowserSession: FindBrowserSession
  readonly accountSignIn: AccountSignIn
  readonly emailChanges: EmailChanges
  readonly accountDeletion: AccountDeletion
  readonly present: Present
  readonly pageLanguage: PageLanguage
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
  /** The address that it is about, and who alone may use it, where that is not whoever reads the mail. */
  find(token: string): Promise<{ readonly email: string; readonly ownerId?: string } | undefined>
  /** Answers what came of it. */
  act(actor: Actor, token: string): Promise<AccountOutcomePage['kind']>
}

/** Makes them. */
export const createLinkPages = (needs: LinkNeeds): readonly LinkPage[] => {
  const { emailChanges, accountDeletion } = needs
  const confirmAt = (end: 'new' | 'old') => async (actor: Actor, token: string) => `email_${await emailChanges.confirm(actor, { end, token })}` as const
  const links: readonly Link[] = [
    { path: '/account/email/confirm', kind: 'change', find: owned(token => emailChanges.find('new', token)), act: confirmAt('new') },
    { path: '/account/email/approve', kind: 'approve', find: token => emailChanges.find('old', token), act: confirmAt('old') },
    {
      path: '/account/email/undo',
      kind: 'undo',
      find: token => emailChanges.find('undo', token),
      act: async (actor, token) => {
        await emailChanges.undo(actor, token)
        return 'email_undone'
      },
    },
    {
      path: '/account/restore',
      kind: 'restore',
      find: async token => {
        const email = await accountDeletion.find(token)
        return email === undefined ? undefined : { email }
      },
      act: async (actor, token) => {
        await accountDeletion.restore(actor, token)
        return 'restored'
      },
    },
  ]
  return links.map(link => createLinkPage(needs, link))
}

const owned =
  (find: (token: string) => Promise<{ readonly email: string; readonly userId?: string } | undefined>): Link['find'] =>
  async token => {
    const found = await find(token)
    return found && { email: found.email, ownerId: found.userId }
  }

const createLinkPage = (
  { present, pageLanguage, forms, secrets, issuer, isSecure, findBrowserSession, accountSignIn }: LinkNeeds,
  { path, kind, find, act }: Link,
): LinkPage => {
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
      const found = token === undefined ? undefined : await find(token)
      if (token === undefined || !found) return expired(ctx)
      const { email, ownerId } = found
      const session = ownerId === undefined ? undefined : await findBrowserSession(ctx)
      if (ownerId !== undefined && !session) return accountSignIn.begin(ctx, { to: path })
      if (session && session.userId !== ownerId) return expired(ctx)
      present(ctx, 'account-link', { csrf: forms.issue(bindingOf(token)), kind, email, action: path })
    },
    submit: async ctx => {
      const { csrf } = await readForm(ctx, { fields: tokenOnly, issuer })
      const token = cookie.read(ctx)
      if (token === undefined) return expired(ctx)
      forms.verify(bindingOf(token), csrf)
      cookie.forget(ctx)
      try {
        const session = await findBrowserSession(ctx)
        const outcome = await act({ ...byMail(ctx, session), language: pageLanguage.of(ctx).tag }, token)
        present(ctx, 'account-outcome', { kind: outcome, homeUrl: '/account/profile' })
      } catch (error) {
        if (!(error instanceof Problem && (error.code === 'link_expired' || error.code === 'email_taken'))) throw error
        ctx.status = error.status
        present(ctx, 'account-outcome', { kind: error.code, homeUrl: '/account/profile' })
      }
    },
  }
}

const bindingOf = (token: string) => `link\0${hashOf('link', token).toString('base64url')}`

// Whoever holds the link need not be signed in here.
const byMail = (ctx: Context, session: { readonly userId: string } | undefined): Actor => ({
  ...(session ? { kind: 'user', id: session.userId, userId: session.userId } : { kind: 'anonymous' }),
  permissions: new Set(),
  ...requestOf(ctx),
})
