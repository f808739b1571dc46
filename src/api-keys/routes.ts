// The operations on API keys. Nobody can give a key more than they may do themselves.
import { z } from 'zod'
import { type Actor, can, seesOrganization } from '../platform/actor.ts'
import { Problem } from '../platform/errors.ts'
import { mustHold } from '../platform/http/allow.ts'
import { type Lists, listQuery } from '../platform/http/list.ts'
import { done, type Route, route } from '../platform/http/route.ts'
import { name, uuid } from '../platform/http/text.ts'
import { time } from '../platform/http/time.ts'
import { apiKeyOutput, toApiKeyOutput } from './api-key.ts'
import type { ApiKeys } from './api-keys.ts'

const organizationId = uuid.optional()
const keyName = name(100)

interface Needs {
  readonly apiKeys: ApiKeys
  readonly lists: Lists
  readonly now: () => Date
  /** The names that a key may be given. */
  readonly permissions: readonly string[]
}

/** Makes the routes. Without `organization_id` they are about keys of the system. */
export const createApiKeyRoutes = ({ apiKeys, lists, now, permissions }: Needs): readonly Route[] => [
  route({
    method: 'GET',
    path: '/api-keys',
    summary: 'The API keys of the system, or of one organization.',
    permission: 'api_keys:read',
    within: 'given',
    query: listQuery({ sorts: ['-created_at'], filters: { organization_id: organizationId } }),
    output: z.array(apiKeyOutput),
    handle: async ({ actor, query }) => {
      mustHold(actor, { permission: 'api_keys:read', organizationId: query.organization_id })
      const list = lists.open('api-keys', query)
      const { rows, total } = await apiKeys.list(query.organization_id, { limit: list.limit, after: list.after?.[0] })
      const { data, meta } = list.page({ rows, total, cursorOf: row => [row.id] })
      return { data: data.map(toApiKeyOutput), meta }
    },
  }),
  route({
    method: 'POST',
    path: '/api-keys',
    summary: 'Makes an API key; the key itself is told only here.',
    permission: 'api_keys:write',
    within: 'given',
    body: z.strictObject({
      name: keyName,
      organization_id: organizationId,
      permissions: z.array(z.enum(permissions)).min(1).max(permissions.length),
      expires_at: time.optional(),
    }),
    output: z.object({ api_key: apiKeyOutput, key: z.string() }),
    status: 201,
    handle: async ({ actor, body }) => {
      mustHold(actor, { permission: 'api_keys:write', organizationId: body.organization_id })
      const expiresAt = body.expires_at === undefined ? undefined : new Date(body.expires_at)
      if (expiresAt !== undefined && expiresAt <= now())
        throw new Problem('validation_failed', { fields: [{ path: 'expires_at', message: 'must be later than now' }] })
      const wanted = [...new Set(body.permissions)]
      if (!wanted.every(permission => can(actor, permission, body.organization_id))) throw new Problem('forbidden')
      const { apiKey, key } = await apiKeys.create(actor, { name: body.name, organizationId: body.organization_id, permissions: wanted, expiresAt })
      return { data: { api_key: toApiKeyOutput(apiKey), key } }
    },
  }),
  route({
    method: 'DELETE',
    path: '/api-keys/:id',
    summary: 'Revokes an API key.',
    permission: 'api_keys:write',
    within: 'given',
    params: z.strictObject({ id: uuid }),
    output: done,
    handle: async ({ actor, params }) => {
      await revoke({ apiKeys, actor, id: params.id })
      return { data: null }
    },
  }),
]

const revoke = async ({ apiKeys, actor, id }: { apiKeys: ApiKeys; actor: Actor; id: string }) => {
  const key = await apiKeys.find(id)
  const isSeen = key && (key.organizationId === undefined ? can(actor, 'api_keys:read') : seesOrganization(actor, key.organizationId))
  if (!isSeen) throw new Problem('not_found')
  mustHold(actor, { permission: 'api_keys:write', organizationId: key.organizationId })
  await apiKeys.revoke(actor, id)
}
