// An invitation that came by mail: shown to whoever is signed in, accepted with one click.
import type { Context } from 'koa'
import { z } from 'zod'
import type { Invitations } from '../organizations/invitations.ts'
import type { Present } from '../pages/present.ts'
import { Problem } from '../platform/errors.ts'
import { seeOther } from '../platform/http/see-other.ts'
import { text } from '../platform/http/text.ts'
import { hashOf } from '../platform/secrets.ts'
import { normalizeEmail } from '../users/email.ts'
import type { OpenedInvitation } from './opened-invitation.ts'
import { accountPage } from './page.ts'
import { parsed } from './parsed.ts'

/** What the page needs. */
export interface InvitationNeeds {
  readonly invitations: Invitations
  readonly openedInvitation: OpenedInvitation
  readonly present: Present
}

const path = '/account/invitation'
const fields = z.strictObject({ invitation: text(100).optional() })

/** Makes the page, and what opens its link. */
export const createInvitationPage = ({ invitations, openedInvitation, present }: InvitationNeeds) => {
  const get = async (ctx: Context) => {
    const found = await openedInvitation.find(ctx)
    if (!found) throw new Problem('link_expired')
    return found
  }
  return {
    /** The secret leaves the address at once. A link that is good for nothing says so before anybody signs in for it. */
    open: async (ctx: Context) => {
      if (await openedInvitation.keep(ctx, String(ctx.params.token))) return seeOther(ctx, path)
      ctx.status = new Problem('link_expired').status
      present(ctx, 'account-outcome', { kind: 'link_expired', homeUrl: '/account/profile' })
    },
    page: accountPage({
      path,
      view: 'account-invitation',
      isSensitive: false,
      show: async (ctx, { user }) => {
        const { email, role, organization, token } = await get(ctx)
        return {
          invitation: nameOf(token),
          invited: email,
          role,
          organization: organization.name,
          isYours: user.isEmailVerified && normalizeEmail(user.email) === email,
          email: user.email,
        }
      },
      submit: async (ctx, { user, actor }, form) => {
        const { invitation } = parsed(fields, form)
        const { token } = await get(ctx)
        // Another link was opened meanwhile: that one is shown, and joined only when it was seen.
        if (invitation !== nameOf(token)) throw new Problem('csrf_mismatch')
        await invitations.accept(actor, { token, userId: user.id })
        openedInvitation.forget(ctx)
        return { done: 'joined', at: '/account/organizations' }
      },
    }),
  }
}

// By which a form says which invitation its page showed.
const nameOf = (token: string): string => hashOf('shown invitation', token).toString('base64url')
