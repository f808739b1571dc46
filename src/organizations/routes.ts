// The operations on organizations.
import { z } from 'zod'
import { type Actor, can, type Membership } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { mustHaveTwoFactors } from '../platform/http/allow.ts'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { mailedName, text, words } from '../platform/http/text.ts'
import { type Organization, organizationIdSchema } from './organization.ts'
import type { Organizations } from './organizations.ts'
import { maxSlug, slugPattern } from './slug.ts'

interface Needs {
  readonly organizations: Organizations
  readonly lists: Lists
}

const inside = { within: 'organization' } as const
/** The path's organization. */
export const organizationParams = z.strictObject({ id: organizationIdSchema })
const name = mailedName(200)
const slug = z.string().max(maxSlug).regex(slugPattern, 'must be small letters, digits and single hyphens')
const description = text(2000).trim()

const organizationOutput = z.object({
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  mfa_required: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** Makes the routes. */
export const createOrganizationRoutes = ({ organizations, lists }: Needs): readonly Route[] => [
  route({
    method: 'GET',
    path: '/organizations',
    summary: 'The organizations one belongs to; all of them for those who may see all, who also see those that can be restored.',
    permission: 'authenticated',
    query: listQuery({
      sorts: ['-created_at', 'created_at'],
      filters: { slug: text(63).optional(), q: words(200).optional(), status: z.enum(['active', 'deleted']).optional() },
    }),
    output: z.array(organizationOutput),
    handle: async ({ actor, query }) => {
      const isAll = can(actor, 'organizations:list')
      const isDeleted = query.status === 'deleted'
      if (isDeleted && !isAll) throw new Problem('forbidden')
      const ids = isAll ? undefined : seenBy(actor)
      const list = lists.open(`organizations of ${isAll ? 'all' : actor.userId}`, query)
      const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
      const found = await organizations.list({ slug: query.slug, q: query.q, ids, isDeleted }, page)
      const { data, meta } = list.page({ ...found, cursorOf: organization => [organization.id] })
      return { data: data.map(output), meta }
    },
  }),
  route({
    method: 'POST',
    path: '/organizations',
    summary: 'Makes an organization; who makes it becomes its owner.',
    permission: 'signed_in',
    body: z.strictObject({ name, slug: slug.optional(), description: description.optional() }),
    output: organizationOutput,
    status: 201,
    handle: async ({ actor, body }) => answer(await organizations.create(actor, { ...body, ownerId: actor.userId })),
  }),
  route({
    ...inside,
    method: 'GET',
    path: '/organizations/:id',
    summary: 'One organization.',
    permission: 'organizations:read',
    params: organizationParams,
    output: organizationOutput,
    handle: async ({ params }) => answer(await organizations.get(params.id)),
  }),
  route({
    ...inside,
    method: 'PATCH',
    path: '/organizations/:id',
    summary: 'Changes an organization; what is not named stays. Only who proved two factors requires them of others.',
    permission: 'organizations:write',
    comparesVersion: true,
    params: organizationParams,
    body: z.strictObject({ name, slug, description: description.nullable(), mfa_required: z.boolean() }).partial(),
    output: organizationOutput,
    handle: async ({ actor, params, body: { mfa_required: isMfaRequired, ...body }, ifMatch }) => {
      if (isMfaRequired) mustHaveTwoFactors(actor)
      return answer(await organizations.update(actor, params.id, { ...body, ...(isMfaRequired === undefined ? {} : { isMfaRequired }), expect: ifMatch }))
    },
  }),
  route({
    ...inside,
    method: 'DELETE',
    path: '/organizations/:id',
    summary: 'Deletes an organization and disables its clients; can be undone for 30 days.',
    permission: 'organizations:delete',
    comparesVersion: true,
    params: organizationParams,
    output: done,
    handle: async ({ actor, params, ifMatch }) => {
      await organizations.remove(actor, params.id, { expect: ifMatch })
      return { data: null }
    },
  }),
  route({
    method: 'POST',
    path: '/organizations/:id/restore',
    summary: 'Brings back an organization that was deleted in the last 30 days, with its clients; for administrators of the system.',
    permission: 'organizations:delete',
    params: organizationParams,
    output: organizationOutput,
    handle: async ({ actor, params }) => answer(await organizations.restore(actor, params.id)),
  }),
]

// A person is shown theirs, whatever they proved; an app of theirs, those in which it was given to see them.
const seenBy = (actor: Actor): readonly string[] => {
  const isSeen = ({ permissions, withheld }: Membership) =>
    permissions.has('organizations:read') || (actor.sessionId !== undefined && withheld?.has('organizations:read') === true)
  const ids = [...(actor.memberships ?? [])].flatMap(([id, membership]) => (isSeen(membership) ? [id] : []))
  if (actor.userId === undefined || (actor.sessionId === undefined && ids.length === 0)) throw new Problem('forbidden')
  return ids
}

const output = ({ id, slug, name, description, isMfaRequired, createdAt, updatedAt }: Organization): z.input<typeof organizationOutput> => ({
  id,
  slug,
  name,
  description: description ?? null,
  mfa_required: isMfaRequired,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
})

const answer = (organization: Organization) => ({ data: output(organization), version: organization.updatedAt })
