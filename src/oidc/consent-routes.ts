// The operations on what one has let clients do.
import { z } from 'zod'
import { isVouchedFor } from '../clients/client.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import { userIdOf } from '../users/user.ts'
import type { Consents } from './consents.ts'

const grantOutput = z.object({
  client: z.object({ client_id: z.string(), name: z.string(), logo_uri: z.string().nullable(), verified: z.boolean(), agent_of: z.string().nullable() }),
  organization: z.object({ id: z.uuid(), slug: z.string(), name: z.string() }).nullable(),
  scopes: z.array(z.string()),
  resources: z.array(z.object({ resource: z.string(), scopes: z.array(z.string()) })),
  granted_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createConsentRoutes = ({ consents }: { consents: Consents }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/users/me/grants',
    summary: 'What the caller has let clients do, by client and organization.',
    permission: 'signed_in',
    output: z.array(grantOutput),
    handle: async ({ actor }) => ({
      data: (await consents.list(userIdOf(actor))).map(({ clientId, name, source, agentOf, logoUri, organization, scopes, resources, grantedAt }) => ({
        client: { client_id: clientId, name, logo_uri: logoUri ?? null, verified: isVouchedFor(source), agent_of: agentOf ?? null },
        organization: organization ?? null,
        scopes: [...scopes],
        resources: Object.entries(resources).map(([resource, given]) => ({ resource, scopes: [...given] })),
        granted_at: grantedAt.toISOString(),
      })),
    }),
  }),
  route({
    method: 'DELETE',
    path: '/users/me/grants/:clientId',
    summary: 'Takes back all that a client was granted, or what it was in one organization, or with `none` in no organization; its tokens end.',
    permission: 'signed_in',
    params: z.strictObject({ clientId: text(255) }),
    query: z.strictObject({ organization_id: z.union([uuid, z.literal('none')]).optional() }),
    output: done,
    handle: async ({ actor, params, query: { organization_id: asked } }) => {
      const organizationId = asked === 'none' ? null : asked
      await consents.revoke(actor, { userId: userIdOf(actor), clientId: params.clientId, organizationId })
      return { data: null }
    },
  }),
]
