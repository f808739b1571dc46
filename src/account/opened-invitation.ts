// The invitation whose link was opened in a browser: remembered there, so that signing in or up comes first.
import type { Context } from 'koa'
import type { ReceivedInvitation } from '../organizations/invitation.ts'
import type { Invitations } from '../organizations/invitations.ts'
import type { Secrets } from '../platform/secrets.ts'
import { createLinkCookie } from './link-cookie.ts'

/** What a browser knows of it. */
export interface OpenedInvitation {
  /** Remembers a link's secret; whether it invites to anything, else nothing is remembered. */
  keep(ctx: Context, token: string): Promise<boolean>
  /** The invitation, while it can be accepted, and the secret of its link. */
  find(ctx: Context): Promise<(ReceivedInvitation & { readonly token: string }) | undefined>
  forget(ctx: Context): void
}

interface Needs {
  readonly invitations: Pick<Invitations, 'find'>
  readonly secrets: Secrets
  readonly isSecure: boolean
}

const tokenShape = /^[\w-]{43}$/

/** Makes it. The cookie is for all pages: those of signing up ask for it too. */
export const createOpenedInvitation = ({ invitations, secrets, isSecure }: Needs): OpenedInvitation => {
  const cookie = createLinkCookie({ secrets, isSecure, path: '/', name: isSecure ? '__Host-invitation' : 'invitation' })
  return {
    keep: async (ctx, token) => {
      const isOne = tokenShape.test(token) && (await invitations.find(token)) !== undefined
      if (isOne) cookie.keep(ctx, token)
      return isOne
    },
    find: async ctx => {
      const token = cookie.read(ctx)
      const invitation = token === undefined ? undefined : await invitations.find(token)
      return token === undefined || !invitation ? undefined : { ...invitation, token }
    },
    forget: cookie.forget,
  }
}
