// The operations on the roles of an organization.
import { z } from 'zod'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text } from '../platform/http/text.ts'
import { resourceScopesField, toGrouped, toPairs } from './resource-scope-fields.ts'
import { type Role, roleNameSchema } from './role.ts'
import type { Roles } from './roles.ts'
import { organizationParams } from './routes.ts'
import { maxSlug } from './slug.ts'

interface Needs {
  readonly roles: Roles
  readonly lists: Lists
  /** The permissions that a role of an organization can have. */
  readonly organizationPermissionNames: readonly string[]
}

const roleParams = organizationParams.extend({ roleId: z.string().max(100).toLowerCase() })
const read = { within: 'organization', permission: 'roles:read' } as const
const write = { within: 'organization', permission: 'roles:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const at = { path: '/organizations/:id/roles/:roleId', params: roleParams } as const
const keyOf = ({ id, roleId }: z.output<typeof roleParams>) => ({ organizationId: id, role: roleId })

const roleOutput = z.object({
  id: z.uuid().nullable(),
  name: z.string(),
  description: z.string().nullable(),
  permissions: z.array(z.string()),
  resource_scopes: z.array(z.object({ resource: z.string(), scopes: z.array(z.string()) })),
  built_in: z.boolean(),
  created_at: z.iso.datetime().nullable(),
  updated_at: z.iso.datetime().nullable(),
})

/** Makes the routes. A role is named by its id or by its name. */
export const createRoleRoutes = ({ roles, lists, organizationPermissionNames: names }: Needs): readonly Route[] => {
  const permission = z.enum(names)
  const body = {
    name: roleNameSchema.max(maxSlug),
    description: text(2000).trim(),
    permissions: z
      .array(permission)
      .max(names.length)
      .transform(list => [...new Set(list)]),
    resource_scopes: resourceScopesField,
  }
  return [
    route({
      ...read,
      method: 'GET',
      path: '/organizations/:id/roles',
      summary: 'The roles of an organization: the built-in ones, then its own by name.',
      params: organizationParams,
      query: listQuery({ sorts: ['name'], filters: {} }),
      output: z.array(roleOutput),
      handle: async ({ params, query }) => {
        const list = lists.open(`organizations/${params.id}/roles`, query)
        const all = await roles.list(params.id)
        const from = list.after === undefined ? 0 : all.findIndex(role => placeOf(role) > (list.after?.[0] ?? ''))
        const rows = from < 0 ? [] : all.slice(from, from + list.limit + 1)
        const { data, meta } = list.page({ rows, total: all.length, cursorOf: role => [placeOf(role)] })
        return { data: data.map(output), meta }
      },
    }),
    route({
      ...write,
      method: 'POST',
      path: '/organizations/:id/roles',
      summary: 'Makes a role; nobody gives it a permission that they lack.',
      params: organizationParams,
      body: z.strictObject({ ...body, description: body.description.optional(), resource_scopes: body.resource_scopes.default([]) }),
      output: roleOutput,
      status: 201,
      handle: async ({ actor, params, body }) =>
        answer(await roles.create(actor, { ...toGiven(body), permissions: body.permissions, name: body.name, organizationId: params.id })),
    }),
    route({ ...read, ...at, method: 'GET', summary: 'One role.', output: roleOutput, handle: async ({ params }) => answer(await roles.get(keyOf(params))) }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: 'Changes a role; its members have at their next request what it becomes.',
      body: z.strictObject({ ...body, description: body.description.nullable() }).partial(),
      output: roleOutput,
      handle: async ({ actor, params, body, ifMatch }) => {
        const expect = (role: Role) => ifMatch(versionOf(role))
        return answer(await roles.update(actor, keyOf(params), { ...toGiven(body), expect }))
      },
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: 'Deletes a role that nobody has.',
      output: done,
      handle: async ({ actor, params, ifMatch }) => {
        await roles.remove(actor, keyOf(params), { expect: role => ifMatch(versionOf(role)) })
        return { data: null }
      },
    }),
  ]
}

// As the list is ordered: built-in ones before all letters, in their own order.
const builtInOrder = ['owner', 'admin', 'member']
const placeOf = ({ id, name }: Role) => (id === undefined ? ` ${builtInOrder.indexOf(name)}` : name)

const output = ({ id, name, description, permissions, resourceScopes, createdAt, updatedAt }: Role): z.input<typeof roleOutput> => ({
  id: id ?? null,
  name,
  description: description ?? null,
  permissions: [...permissions],
  resource_scopes: toGrouped(resourceScopes),
  built_in: id === undefined,
  created_at: createdAt?.toISOString() ?? null,
  updated_at: updatedAt?.toISOString() ?? null,
})

const toGiven = <Body extends { resource_scopes?: Parameters<typeof toPairs>[0] | undefined }>({ resource_scopes: grouped, ...body }: Body) => ({
  ...body,
  resourceScopes: grouped && toPairs(grouped),
})

const versionOf = ({ updatedAt }: Role) => updatedAt ?? 'built-in'

const answer = (role: Role) => ({ data: output(role), version: versionOf(role) })
