// The operations on resource servers: of the whole system, and the same of one organization.
import { z } from 'zod'
import type { Actor } from '../platform/actor.ts'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type IfMatch, type Route, route } from '../platform/http/route.ts'
import { uuid, words } from '../platform/http/text.ts'
import type { AdministeredResourceServer } from './resource-server.ts'
import type { ResourceServerAdministration, ResourceServerKey } from './resource-server-administration.ts'
import { newResourceServerBody, resourceServerBody, resourceServerOutput, toResourceServerChanges, toResourceServerOutput } from './resource-server-output.ts'

interface Needs {
  readonly resourceServerAdministration: ResourceServerAdministration
  readonly lists: Lists
}

const sorts = ['-created_at', 'created_at'] as const
// Without it those that live are listed.
const filters = { q: words(1000).optional(), status: z.enum(['active', 'deleted']).optional() }
const output = resourceServerOutput
const read = { permission: 'resource_servers:read' } as const
const write = { permission: 'resource_servers:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const inside = { within: 'organization' } as const

/** Makes the routes. */
export const createResourceServerRoutes = (needs: Needs): readonly Route[] => {
  const operations = operationsOf(needs)
  return [...systemRoutes(operations), ...organizationRoutes(operations)]
}

interface ListQuery {
  readonly limit: number
  readonly after?: string | undefined
  readonly sort: string
  readonly organization_id?: string | undefined
  readonly q?: string | undefined
  readonly status?: 'active' | 'deleted' | undefined
}

const operationsOf = ({ resourceServerAdministration: administration, lists }: Needs) => ({
  list: async (query: ListQuery) => {
    const list = lists.open('resource-servers', { ...query })
    const page = { limit: list.limit, after: list.after?.[0], isAscending: query.sort === 'created_at' }
    const found = await administration.list({ organizationId: query.organization_id, q: query.q, isDeleted: query.status === 'deleted' }, page)
    const { data, meta } = list.page({ ...found, cursorOf: server => [server.id] })
    return { data: data.map(toResourceServerOutput), meta }
  },
  get: async (key: ResourceServerKey) => answer(await administration.get(key)),
  create: async (actor: Actor, { organizationId, body }: { organizationId?: string | undefined; body: z.output<typeof newResourceServerBody> }) => {
    const { identifier, name, scopes, token_format: tokenFormat, signing_algorithm: signingAlgorithm, access_token_ttl_seconds: accessTokenTtlSeconds } = body
    const given = { identifier, organizationId, name, scopes: scopes.map(scope => scope.name), tokenFormat, signingAlgorithm, accessTokenTtlSeconds }
    return answer(await administration.create(actor, { ...toResourceServerChanges(body), ...given }))
  },
  update: async (actor: Actor, { key, body, ifMatch }: { key: ResourceServerKey; body: z.output<typeof resourceServerBody>; ifMatch: IfMatch }) =>
    answer(await administration.update(actor, key, { ...toResourceServerChanges(body), expect: ({ version }) => ifMatch(version) })),
  remove: async (actor: Actor, { key, ifMatch }: { key: ResourceServerKey; ifMatch: IfMatch }) => {
    await administration.remove(actor, key, { expect: ({ version }) => ifMatch(version) })
    return { data: null }
  },
  restore: async (actor: Actor, key: ResourceServerKey) => answer(await administration.restore(actor, key, {})),
})

type Operations = ReturnType<typeof operationsOf>

const answer = (server: AdministeredResourceServer) => ({ data: toResourceServerOutput(server), version: server.version })

const systemRoutes = (does: Operations): readonly Route[] => {
  const params = z.strictObject({ id: uuid })
  const at = { path: '/resource-servers/:id', params } as const
  return [
    route({
      ...read,
      method: 'GET',
      path: '/resource-servers',
      summary: 'The APIs that clients ask tokens for.',
      query: listQuery({ sorts, filters: { ...filters, organization_id: uuid.optional() } }),
      output: z.array(output),
      handle: ({ query }) => does.list(query),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/resource-servers',
      summary: 'Registers an API, whose identifier is its own for good.',
      body: newResourceServerBody.extend({ organization_id: uuid.optional() }),
      output,
      status: 201,
      handle: ({ actor, body: { organization_id: organizationId, ...body } }) => does.create(actor, { organizationId, body }),
    }),
    route({ ...read, ...at, method: 'GET', summary: 'One API that clients ask tokens for.', output, handle: ({ params }) => does.get(params) }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: 'Changes an API; what is not named stays, and what is named is replaced whole.',
      body: resourceServerBody,
      output,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: params, body, ifMatch }),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: 'Deletes an API: nothing is issued for it any more.',
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: params, ifMatch }),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/resource-servers/:id/restore',
      summary: 'Brings back an API that was deleted in the last 30 days.',
      params,
      output,
      handle: ({ actor, params }) => does.restore(actor, params),
    }),
  ]
}

const organizationRoutes = (does: Operations): readonly Route[] => {
  const params = z.strictObject({ id: uuid })
  const at = { path: '/organizations/:id/resource-servers/:resourceServerId', params: params.extend({ resourceServerId: uuid }) } as const
  const keyOf = ({ id, resourceServerId }: z.output<typeof at.params>): ResourceServerKey => ({ id: resourceServerId, organizationId: id })
  return [
    route({
      ...read,
      ...inside,
      method: 'GET',
      path: '/organizations/:id/resource-servers',
      summary: "An organization's APIs.",
      params,
      query: listQuery({ sorts, filters }),
      output: z.array(output),
      handle: ({ params, query }) => does.list({ ...query, organization_id: params.id }),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/resource-servers',
      summary: 'Registers an API of an organization, for its clients and those of the system.',
      params,
      body: newResourceServerBody,
      output,
      status: 201,
      handle: ({ actor, params, body }) => does.create(actor, { organizationId: params.id, body }),
    }),
    route({ ...read, ...inside, ...at, method: 'GET', summary: "One of an organization's APIs.", output, handle: ({ params }) => does.get(keyOf(params)) }),
    route({
      ...writeKnown,
      ...inside,
      ...at,
      method: 'PATCH',
      summary: "Changes an organization's API; what is not named stays, and what is named is replaced whole.",
      body: resourceServerBody,
      output,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: keyOf(params), body, ifMatch }),
    }),
    route({
      ...writeKnown,
      ...inside,
      ...at,
      method: 'DELETE',
      summary: "Deletes an organization's API: nothing is issued for it any more.",
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: keyOf(params), ifMatch }),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/resource-servers/:resourceServerId/restore',
      summary: "Brings back an organization's API that was deleted in the last 30 days.",
      params: at.params,
      output,
      handle: ({ actor, params }) => does.restore(actor, keyOf(params)),
    }),
  ]
}
