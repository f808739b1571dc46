// The operations on connections: those of the system, and the same of one organization.
import { z } from 'zod'
import { listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid } from '../platform/http/text.ts'
import { type OperationNeeds, type Operations, operationsOf } from './connection-operations.ts'
import { connectionBody, connectionOutput, connectorOutput, findingOutput, newConnectionBody, organizationFields, systemFields } from './connection-output.ts'

const query = listQuery({
  sorts: ['-created_at', 'created_at'],
  filters: { connector: text(50).optional(), status: z.enum(['active', 'deleted']).optional() },
})
const read = { permission: 'connections:read' } as const
const write = { permission: 'connections:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const inside = { within: 'organization' } as const
const restored = 'Brings back a connection that was deleted in the last 30 days, with everybody who signed in by it.'
const replaced =
  "settings and secrets are replaced whole, a document's beneath what `settings` says; settings that lead to another provider (another issuer, origin, " +
  'entity identifier, or attribute that people are known by) need the secrets again, and unlink everybody who signed in by it: they link anew'
const owners =
  'Whoever says who somebody is could become an owner: it is made, enabled and restored, and its settings, secrets and membership are changed, only by owners, administrators of the system and apps that may do for them all that an owner may; never by a key'
const tested = 'Asks the provider of a connection, without a person, and tells what was found.'

/** Makes the routes. */
export const createConnectionRoutes = (needs: OperationNeeds): readonly Route[] => {
  const operations = operationsOf(needs)
  return [
    route({
      ...read,
      within: 'given',
      method: 'GET',
      path: '/connectors',
      summary: 'The kinds of upstream providers, with the JSON schemas of their settings and the names of their secrets.',
      output: z.array(connectorOutput),
      handle: operations.kinds,
    }),
    ...systemRoutes(operations),
    ...organizationRoutes(operations),
  ]
}

const systemRoutes = (does: Operations): readonly Route[] => {
  const at = { path: '/connections/:id', params: z.strictObject({ id: uuid }) } as const
  return [
    route({
      ...read,
      method: 'GET',
      path: '/connections',
      summary: 'The connections of the system, by which everybody may sign in.',
      query,
      output: z.array(connectionOutput),
      handle: ({ query }) => does.list(query),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/connections',
      summary: 'Makes a connection of the system; its secrets are never told.',
      body: newConnectionBody.extend(systemFields),
      output: connectionOutput,
      status: 201,
      handle: ({ actor, body }) => does.create(actor, { body }),
    }),
    route({ ...read, ...at, method: 'GET', summary: 'One connection of the system.', output: connectionOutput, handle: ({ params }) => does.get(params) }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: `Changes a connection of the system; ${replaced}.`,
      body: connectionBody.extend(systemFields),
      output: connectionOutput,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: params, body, ifMatch }),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: 'Deletes a connection of the system.',
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: params, ifMatch }),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: '/connections/:id/restore',
      summary: restored,
      output: connectionOutput,
      handle: ({ actor, params }) => does.restore(actor, params),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: '/connections/:id/test',
      summary: tested,
      output: z.array(findingOutput),
      handle: ({ actor, params }) => does.test(actor, params),
    }),
  ]
}

const organizationRoutes = (does: Operations): readonly Route[] => {
  const params = z.strictObject({ id: uuid })
  const at = { ...inside, path: '/organizations/:id/connections/:connectionId', params: params.extend({ connectionId: uuid }) } as const
  const keyOf = ({ id, connectionId }: { id: string; connectionId: string }) => ({ id: connectionId, organizationId: id })
  return [
    route({
      ...read,
      ...inside,
      method: 'GET',
      path: '/organizations/:id/connections',
      summary: "An organization's connections.",
      params,
      query,
      output: z.array(connectionOutput),
      handle: ({ params, query }) => does.list(query, params.id),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/connections',
      summary: `Makes a connection of an organization; its secrets are never told. ${owners}.`,
      params,
      body: newConnectionBody.extend(organizationFields),
      output: connectionOutput,
      status: 201,
      handle: ({ actor, params, body }) => does.create(actor, { organizationId: params.id, body }),
    }),
    route({
      ...read,
      ...at,
      method: 'GET',
      summary: "One of an organization's connections.",
      output: connectionOutput,
      handle: ({ params }) => does.get(keyOf(params)),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: `Changes an organization's connection; ${replaced}. ${owners}; what else it is, by whoever holds the roles that it hands out.`,
      body: connectionBody.extend(organizationFields),
      output: connectionOutput,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: keyOf(params), body, ifMatch }),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: "Deletes an organization's connection.",
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: keyOf(params), ifMatch }),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: '/organizations/:id/connections/:connectionId/restore',
      summary: restored,
      output: connectionOutput,
      handle: ({ actor, params }) => does.restore(actor, keyOf(params)),
    }),
    route({
      ...write,
      ...at,
      method: 'POST',
      path: '/organizations/:id/connections/:connectionId/test',
      summary: tested,
      output: z.array(findingOutput),
      handle: ({ actor, params }) => does.test(actor, keyOf(params)),
    }),
  ]
}
