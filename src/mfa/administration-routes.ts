// The operations of administrators on the factors of others: for whoever lost one.
import { z } from 'zod'
import { done, type Route, route } from '../platform/http/route.ts'
import type { UserAdministration } from '../users/administration.ts'
import { userIdSchema } from '../users/user.ts'
import { authenticatorOutput, toAuthenticatorOutput } from './authenticator.ts'
import type { Authenticators } from './authenticators.ts'

const params = z.strictObject({ id: userIdSchema })

/** Makes the routes. */
export const createFactorAdministrationRoutes = (needs: { userAdministration: UserAdministration; authenticators: Authenticators }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/users/:id/factors',
    summary: 'The factors that a user has enrolled.',
    permission: 'users:read',
    params,
    output: z.array(authenticatorOutput),
    handle: async ({ params: { id } }) => {
      const user = await needs.userAdministration.get(id)
      return { data: (await needs.authenticators.list(user.id)).map(toAuthenticatorOutput) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/users/:id/factors/:factorId',
    summary: 'Removes a factor that a user lost; the user is told by mail.',
    permission: 'users:write',
    params: params.extend({ factorId: z.uuid() }),
    output: done,
    handle: async ({ actor, params: { id, factorId } }) => {
      await needs.authenticators.remove(actor, { user: await needs.userAdministration.get(id), id: factorId })
      return { data: null }
    },
  }),
]
