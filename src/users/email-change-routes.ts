// The operation by which people ask to change their own address.
import { z } from 'zod'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { UserAdministration } from './administration.ts'
import type { EmailChanges } from './email-change.ts'
import { userIdOf } from './user.ts'

interface Needs {
  readonly userAdministration: UserAdministration
  readonly emailChanges: EmailChanges
  readonly recentProofs: RecentProofs
}

/** Makes the route, which needs a proof of the last five minutes. */
export const createEmailChangeRoutes = ({ userAdministration, emailChanges, recentProofs }: Needs): readonly Route[] => [
  route({
    method: 'POST',
    path: '/users/me/email',
    summary: 'Mails a link to the new address, and one to the present address where that is verified; the address changes when all were opened.',
    permission: 'signed_in',
    body: z.strictObject({ email: text(320).trim().min(1) }),
    output: done,
    status: 202,
    handle: async ({ actor, body }) => {
      const id = userIdOf(actor)
      await recentProofs.verify(actor)
      await emailChanges.request(actor, { user: await userAdministration.get(id), email: body.email })
      return { data: null }
    },
  }),
]
