// The operations on the members of an organization.
import { z } from 'zod'
import { mustHold } from '../platform/http/allow.ts'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import { userIdSchema } from '../users/user.ts'
import type { Members } from './members.ts'
import type { Member } from './organization.ts'
import { roleNameSchema as role } from './role.ts'
import { organizationParams } from './routes.ts'

interface Needs {
  readonly members: Members
  readonly lists: Lists
}

const inside = { within: 'organization' } as const
const memberParams = organizationParams.extend({ userId: userIdSchema })

const memberOutput = z.object({
  user_id: z.uuid(),
  user: z.object({ id: z.uuid(), email: z.string(), email_verified: z.boolean(), full_name: z.string().nullable() }),
  role: z.string(),
  joined_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createMemberRoutes = ({ members, lists }: Needs): readonly Route[] => [
  route({
    ...inside,
    method: 'GET',
    path: '/organizations/:id/members',
    summary: 'The members of an organization.',
    permission: 'members:read',
    params: organizationParams,
    query: listQuery({ sorts: ['-created_at', 'created_at'], filters: { role: role.optional() } }),
    output: z.array(memberOutput),
    handle: async ({ params, query }) => {
      const list = lists.open(`organizations/${params.id}/members`, query)
      const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
      const found = await members.list(params.id, { role: query.role }, page)
      const { data, meta } = list.page({ ...found, cursorOf: member => [member.userId] })
      return { data: data.map(output), meta }
    },
  }),
  route({
    ...inside,
    method: 'POST',
    path: '/organizations/:id/members',
    summary: 'Adds a person, by id or by email address; nobody gives a role that may do more than they may, and only an owner makes owners.',
    permission: 'members:write',
    params: organizationParams,
    body: z
      .strictObject({ user_id: userIdSchema.optional(), email: text(320).optional(), role: role.default('member') })
      .refine(body => (body.user_id === undefined) !== (body.email === undefined), 'Give either user_id or email.'),
    output: memberOutput,
    status: 201,
    handle: async ({ actor, params, body }) => {
      const member = await members.add(actor, { organizationId: params.id, userId: body.user_id, email: body.email, role: body.role })
      return { data: output(member) }
    },
  }),
  route({
    ...inside,
    method: 'DELETE',
    path: '/organizations/:id/members/:userId',
    summary: 'Removes a member; anybody may remove themselves, but not the last owner.',
    permission: 'authenticated',
    params: memberParams,
    output: done,
    handle: async ({ actor, params }) => {
      // Whatever their role allows, a person may leave: themselves, not an app of theirs. Who removes somebody else is asked for
      // `members:write` by the service.
      const isLeaving = actor.sessionId !== undefined && actor.userId === params.userId
      if (!isLeaving) mustHold(actor, { permission: 'members:read', organizationId: params.id })
      await members.remove(actor, { organizationId: params.id, userId: params.userId })
      return { data: null }
    },
  }),
  route({
    ...inside,
    method: 'PATCH',
    path: '/organizations/:id/members/:userId/role',
    summary: 'Changes what a member is; only an owner makes or changes owners, and one always stays.',
    permission: 'members:write',
    params: memberParams,
    body: z.strictObject({ role }),
    output: memberOutput,
    handle: async ({ actor, params, body }) => ({
      data: output(await members.setRole(actor, { organizationId: params.id, userId: params.userId, role: body.role })),
    }),
  }),
]

const output = ({ userId: id, email, isEmailVerified, name, role, joinedAt }: Member): z.input<typeof memberOutput> => ({
  user_id: id,
  user: { id, email, email_verified: isEmailVerified, full_name: name ?? null },
  role,
  joined_at: joinedAt.toISOString(),
})
