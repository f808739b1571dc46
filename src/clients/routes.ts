// The operations on clients and their secrets: of the whole system, and the same of one organization.
import { z } from 'zod'
import { listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { text, uuid, words } from '../platform/http/text.ts'
import { time } from '../platform/http/time.ts'
import { agentFields, apiPermissionsField, clientBody, clientOutput, clientSecretOutput, newClientBody, systemFields, toChanges } from './client-output.ts'
import { type OperationNeeds, type Operations, operationsOf } from './operations.ts'
import type { ClientKey } from './sought-client.ts'

const clientName = text(255).min(1)
const sorts = ['-created_at', 'created_at'] as const
// Without it those that live are listed.
const status = z.enum(['active', 'deleted']).optional()
const newSecretBody = z.strictObject({ expires_at: time.optional() })
const created = z.object({ client: clientOutput, secret: z.string().optional() })
const secretMade = z.object({ client_secret: clientSecretOutput, secret: z.string() })
const read = { permission: 'clients:read' } as const
const write = { permission: 'clients:write' } as const
const writeKnown = { ...write, comparesVersion: true } as const
const inside = { within: 'organization' } as const

type ApiPermissions = ReturnType<typeof apiPermissionsField>

/** Makes the routes. A client is named by its id or its `client_id`. */
export const createClientRoutes = (needs: OperationNeeds): readonly Route[] => {
  const operations = operationsOf(needs)
  const { system, organization } = needs.apiPermissions
  return [
    ...systemRoutes(operations, { ...systemFields, ...apiPermissionsField(system) }),
    ...organizationRoutes(operations, apiPermissionsField(organization)),
  ]
}

const systemRoutes = (does: Operations, fields: typeof systemFields & ApiPermissions): readonly Route[] => {
  const at = { path: '/clients/:id', params: z.strictObject({ id: clientName }) } as const
  const filters = { organization_id: uuid.optional(), q: words(200).optional(), status }
  return [
    route({
      ...read,
      method: 'GET',
      path: '/clients',
      summary: 'The clients.',
      query: listQuery({ sorts, filters }),
      output: z.array(clientOutput),
      handle: ({ query }) => does.list(query),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/clients',
      summary: 'Makes a client; a secret is told only here.',
      body: newClientBody.extend({ ...fields, ...agentFields, organization_id: uuid.optional() }),
      output: created,
      status: 201,
      handle: ({ actor, body: { organization_id: organizationId, ...body } }) => does.create(actor, { organizationId, body }),
    }),
    route({ ...read, ...at, method: 'GET', summary: 'One client.', output: clientOutput, handle: ({ params }) => does.get(params) }),
    route({
      ...writeKnown,
      ...at,
      method: 'PATCH',
      summary: 'Changes a client; what is not named stays.',
      body: clientBody.extend(fields),
      output: clientOutput,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: params, changes: toChanges(body), ifMatch }),
    }),
    route({
      ...writeKnown,
      ...at,
      method: 'DELETE',
      summary: 'Deletes a client.',
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: params, ifMatch }),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/clients/:id/restore',
      summary: 'Brings back a client that was deleted in the last 30 days.',
      params: at.params,
      output: clientOutput,
      handle: ({ actor, params }) => does.restore(actor, params),
    }),
    route({
      ...write,
      method: 'POST',
      path: '/clients/:id/secrets',
      summary: 'Makes one more secret, which is told only here.',
      params: at.params,
      body: newSecretBody,
      output: secretMade,
      status: 201,
      handle: ({ actor, params, body }) => does.addSecret(actor, { key: params, expiresAt: body.expires_at }),
    }),
    route({
      ...write,
      method: 'DELETE',
      path: '/clients/:id/secrets/:secretId',
      summary: 'Revokes a secret.',
      params: at.params.extend({ secretId: uuid }),
      output: done,
      handle: ({ actor, params }) => does.revokeSecret(actor, { key: { id: params.id }, secretId: params.secretId }),
    }),
  ]
}

const organizationRoutes = (does: Operations, fields: ApiPermissions): readonly Route[] => {
  const params = z.strictObject({ id: uuid })
  const at = { path: '/organizations/:id/clients/:clientId', params: params.extend({ clientId: clientName }) } as const
  const keyOf = ({ id, clientId }: { id: string; clientId: string }): ClientKey => ({ id: clientId, organizationId: id })
  return [
    route({
      ...read,
      ...inside,
      method: 'GET',
      path: '/organizations/:id/clients',
      summary: "An organization's clients.",
      params,
      query: listQuery({ sorts, filters: { q: words(200).optional(), status } }),
      output: z.array(clientOutput),
      handle: ({ params, query }) => does.list({ ...query, organization_id: params.id }),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/clients',
      summary: 'Makes a client of an organization; a secret is told only here.',
      params,
      body: newClientBody.extend({ ...fields, ...agentFields }),
      output: created,
      status: 201,
      handle: ({ actor, params, body }) => does.create(actor, { organizationId: params.id, body }),
    }),
    route({
      ...read,
      ...inside,
      ...at,
      method: 'GET',
      summary: "One of an organization's clients.",
      output: clientOutput,
      handle: ({ params }) => does.get(keyOf(params)),
    }),
    route({
      ...writeKnown,
      ...inside,
      ...at,
      method: 'PATCH',
      summary: "Changes an organization's client; what is not named stays.",
      body: clientBody.extend(fields),
      output: clientOutput,
      handle: ({ actor, params, body, ifMatch }) => does.update(actor, { key: keyOf(params), changes: toChanges(body), ifMatch }),
    }),
    route({
      ...writeKnown,
      ...inside,
      ...at,
      method: 'DELETE',
      summary: "Deletes an organization's client.",
      output: done,
      handle: ({ actor, params, ifMatch }) => does.remove(actor, { key: keyOf(params), ifMatch }),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/clients/:clientId/restore',
      summary: "Brings back an organization's client that was deleted in the last 30 days.",
      params: at.params,
      output: clientOutput,
      handle: ({ actor, params }) => does.restore(actor, keyOf(params)),
    }),
    route({
      ...write,
      ...inside,
      method: 'POST',
      path: '/organizations/:id/clients/:clientId/secrets',
      summary: "Makes one more secret of an organization's client, which is told only here.",
      params: at.params,
      body: newSecretBody,
      output: secretMade,
      status: 201,
      handle: ({ actor, params, body }) => does.addSecret(actor, { key: keyOf(params), expiresAt: body.expires_at }),
    }),
    route({
      ...write,
      ...inside,
      method: 'DELETE',
      path: '/organizations/:id/clients/:clientId/secrets/:secretId',
      summary: "Revokes a secret of an organization's client.",
      params: at.params.extend({ secretId: uuid }),
      output: done,
      handle: ({ actor, params }) => does.revokeSecret(actor, { key: keyOf(params), secretId: params.secretId }),
    }),
  ]
}
