// The operations on invitations: of the organization that invites, and of the person who is invited.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { languageTag, text, uuid } from '../platform/http/text.ts'
import { userIdOf } from '../users/user.ts'
import type { Invitation } from './invitation.ts'
import type { Invitations } from './invitations.ts'
import { roleNameSchema } from './role.ts'
import { organizationParams } from './routes.ts'

interface Needs {
  readonly invitations: Invitations
  readonly lists: Lists
}

const inside = { within: 'organization' } as const
const at = {
  path: '/organizations/:id/invitations/:invitationId',
  params: organizationParams.extend({ invitationId: uuid }),
} as const
const invitationOutput = z.object({
  id: z.uuid(),
  organization_id: z.uuid(),
  email: z.string(),
  role: z.string(),
  invited_by: z.uuid().nullable(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createInvitationRoutes = ({ invitations, lists }: Needs): readonly Route[] => [
  route({
    ...inside,
    method: 'GET',
    path: '/organizations/:id/invitations',
    summary: 'The invitations that can still be accepted, the newest first.',
    permission: 'members:read',
    params: organizationParams,
    query: listQuery({ sorts: ['-created_at', 'created_at'], filters: {} }),
    output: z.array(invitationOutput),
    handle: async ({ params, query }) => {
      const list = lists.open(`organizations/${params.id}/invitations`, query)
      const found = await invitations.list(params.id, { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' })
      const { data, meta } = list.page({ ...found, cursorOf: invitation => [invitation.id] })
      return { data: data.map(output), meta }
    },
  }),
  route({
    ...inside,
    method: 'POST',
    path: '/organizations/:id/invitations',
    summary:
      'Invites somebody by mail; nobody invites to a role that may do more than they may, then and when it is accepted. An open invitation to the same address is void.',
    permission: 'members:write',
    params: organizationParams,
    body: z.strictObject({ email: text(320), role: roleNameSchema.default('member'), locale: languageTag.optional() }),
    output: invitationOutput,
    status: 201,
    handle: async ({ actor, params, body }) => answer(await invitations.create(actor, { organizationId: params.id, ...body })),
  }),
  route({
    ...inside,
    ...at,
    method: 'GET',
    summary: 'One invitation, while it can be accepted.',
    permission: 'members:read',
    output: invitationOutput,
    handle: async ({ params }) => answer(await invitations.get(params.id, params.invitationId)),
  }),
  route({
    ...inside,
    ...at,
    method: 'DELETE',
    summary: 'Takes an invitation back.',
    permission: 'members:write',
    comparesVersion: true,
    output: done,
    handle: async ({ actor, params, ifMatch }) => {
      const expect = (invitation: Invitation) => ifMatch(versionOf(invitation))
      await invitations.revoke(actor, { organizationId: params.id, id: params.invitationId, expect })
      return { data: null }
    },
  }),
  route({
    method: 'POST',
    path: '/users/me/invitations/accept',
    summary: 'Accepts an invitation to the caller’s verified address.',
    permission: 'signed_in',
    body: z.strictObject({ token: text(200) }),
    output: z.object({ organization: z.object({ id: z.uuid(), slug: z.string(), name: z.string() }), role: z.string() }),
    handle: async ({ actor, body }) => {
      const { organization, role } = await invitations.accept(actor, { token: body.token, userId: userIdOf(actor) })
      return { data: { organization, role } }
    },
  }),
]

const versionOf = (invitation: Invitation) => JSON.stringify(output(invitation))

const answer = (invitation: Invitation) => ({ data: output(invitation), version: versionOf(invitation) })

const output = ({ id, organizationId, email, role, invitedBy, createdAt, expiresAt }: Invitation): z.input<typeof invitationOutput> => ({
  id,
  organization_id: organizationId,
  email,
  role,
  invited_by: invitedBy ?? null,
  created_at: createdAt.toISOString(),
  expires_at: expiresAt.toISOString(),
})
