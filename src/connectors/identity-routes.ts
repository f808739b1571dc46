// The operations on identities: one's own, and as administrators see those of others.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import type { RecentProofs } from '../sessions/recent-proofs.ts'
import type { UserAdministration } from '../users/administration.ts'
import { type User, userIdOf, userIdSchema } from '../users/user.ts'
import type { Identities, Identity } from './identities.ts'

interface Needs {
  readonly identities: Identities
  readonly userAdministration: UserAdministration
  readonly recentProofs: RecentProofs
}

const identityOutput = z.object({
  id: z.uuid(),
  connection: z.object({ id: z.uuid(), connector: z.string(), name: z.string() }),
  /** What the other provider calls the person. */
  subject: z.string(),
  /** What it told at the last sign-in. */
  provider_data: z.record(z.string(), z.json()),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime(),
})
const params = z.strictObject({ id: userIdSchema })

/** Makes the routes. */
export const createIdentityRoutes = ({ identities, userAdministration, recentProofs }: Needs): readonly Route[] => {
  const me = (actor: Actor): Promise<User> => userAdministration.get(userIdOf(actor))
  return [
    route({
      method: 'GET',
      path: '/users/me/identities',
      summary: 'The accounts at other providers by which the caller signs in, the oldest first.',
      permission: 'signed_in',
      output: z.array(identityOutput),
      handle: async ({ actor }) => ({ data: (await identities.list(userIdOf(actor))).map(toOutput) }),
    }),
    route({
      method: 'DELETE',
      path: '/users/me/identities/:id',
      summary: 'Unlinks one of the caller’s accounts at other providers, but never the last way to sign in. Needs a recent proof.',
      permission: 'signed_in',
      params: z.strictObject({ id: z.uuid() }),
      output: done,
      handle: async ({ actor, params: { id } }) => {
        await recentProofs.verify(actor)
        await identities.unlink(actor, { user: await me(actor), id })
        return { data: null }
      },
    }),
    route({
      method: 'GET',
      path: '/users/:id/identities',
      summary: 'The accounts at other providers by which a user signs in.',
      permission: 'users:read',
      params,
      output: z.array(identityOutput),
      handle: async ({ params: { id } }) => {
        const user = await userAdministration.get(id)
        return { data: (await identities.list(user.id)).map(toOutput) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/users/:id/identities/:identityId',
      summary: 'Unlinks an account at another provider, be it the user’s last way to sign in; the user is told by mail.',
      permission: 'users:write',
      params: params.extend({ identityId: z.uuid() }),
      output: done,
      handle: async ({ actor, params: { id, identityId } }) => {
        await identities.unlink(actor, { user: await userAdministration.get(id), id: identityId })
        return { data: null }
      },
    }),
  ]
}

const providerData = z.record(z.string(), z.json()).catch({})

const toOutput = ({ id, connection, subject, providerData: told, createdAt, lastUsedAt }: Identity): z.input<typeof identityOutput> => ({
  id,
  connection: { id: connection.id, connector: connection.connector, name: connection.name },
  subject,
  provider_data: providerData.parse(told),
  created_at: createdAt.toISOString(),
  last_used_at: lastUsedAt.toISOString(),
})
