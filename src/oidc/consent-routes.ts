// The operations on what one has let clients do.
import { z } from 'zod'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import { userIdOf } from '../users/user.ts'
import type { Consents } from './consents.ts'

const grantOutput = z.object({
  client: z.object({ client_id: z.string(), name: z.string(), logo_uri: z.string().nullable() }),
  scopes: z.array(z.string()),
  resources: z.array(z.object({ resource: z.string(), scopes: z.array(z.string()) })),
  granted_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createConsentRoutes = ({ consents }: { consents: Consents }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/users/me/grants',
    summary: 'What the caller has let clients do, by client.',
    permission: 'signed_in',
    output: z.array(grantOutput),
    handle: async ({ actor }) => ({
      data: (await consents.list(userIdOf(actor))).map(({ clientId, name, logoUri, scopes, resources, grantedAt }) => ({
        client: { client_id: clientId, name, logo_uri: logoUri ?? null },
        scopes: [...scopes],
        resources: Object.entries(resources).map(([resource, given]) => ({ resource, scopes: [...given] })),
        granted_at: grantedAt.toISOString(),
      })),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/users/me/grants/:clientId',
    summary: 'Takes back all that a client was granted; its tokens end.',
    permission: 'signed_in',
    params: z.strictObject({ clientId: text(255) }),
    output: done,
    handle: async ({ actor, params }) => {
      await consents.revoke(actor, { userId: userIdOf(actor), clientId: params.clientId })
      return { data: null }
    },
  }),
]
