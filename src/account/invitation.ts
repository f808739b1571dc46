// An invitation that came by mail: shown to whoever is signed in, accepted with one click.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Invitations } from '../organizations/invitations.ts'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import type { Secrets } from '../platform/secrets.ts'
import { normalizeEmail } from '../users/email.ts'
import { createLinkCookie } from './link-cookie.ts'
import { accountPage } from './page.ts'
import { parsed } from './pages.ts'

/** What the page needs. */
export interface InvitationNeeds {
  readonly invitations: Invitations
  readonly secrets: Secrets
  readonly isSecure: boolean
}

const path = '/account/invitation'

/** Makes the page, and what opens its link. */
export const createInvitationPage = ({ invitations, secrets, isSecure }: InvitationNeeds) => {
  const cookie = createLinkCookie({ secrets, isSecure, path })
  const found = async (ctx: Context) => {
    const token = cookie.read(ctx)
    const invitation = token === undefined ? undefined : await invitations.find(token)
    if (token === undefined || !invitation) throw new Problem('link_expired')
    return { token, invitation }
  }
  return {
    open: (ctx: Context) => {
      cookie.keep(ctx, String(ctx.params.token))
      seeOther(ctx, path)
    },
    page: accountPage({
      path,
      view: 'account-invitation',
      isSensitive: false,
      show: async (ctx, { user }) => {
        const { email, role, organization } = (await found(ctx)).invitation
        return {
          invited: email,
          role,
          organization: organization.name,
          isYours: user.isEmailVerified && normalizeEmail(user.email) === email,
          email: user.email,
        }
      },
      submit: async (ctx, { user, actor }, form) => {
        parsed(z.strictObject({}), form)
        const { token } = await found(ctx)
        await invitations.accept(actor, { token, userId: user.id })
        cookie.forget(ctx)
        seeOther(ctx, '/account/organizations?done=joined')
        return { answered: true }
      },
    }),
  }
}
